"""Lifecycle Gateway: one GraphQL endpoint over Microsoft Graph lifecycle workflows results."""
