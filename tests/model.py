"""The schema as it is built by default, and the routes of its model."""

from gateway.schema.build import build_schema

SCHEMA = build_schema()
ROUTES = SCHEMA.model.routes
