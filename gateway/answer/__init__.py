"""Stitched rows → response: one generated function per selection, graphql-core for the rest."""
