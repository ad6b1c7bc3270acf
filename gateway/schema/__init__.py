"""What can be asked: Strawberry types, one file per resource."""
