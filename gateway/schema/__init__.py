"""The schema: Strawberry types, one file per resource."""
