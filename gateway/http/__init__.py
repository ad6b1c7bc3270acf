"""The HTTP surface: GraphQL over HTTP, its limits, and what stands beside it."""
