"""Lifecycle Gateway: one GraphQL endpoint over Microsoft Graph lifecycle workflows results."""

__version__ = "0.1.0"
