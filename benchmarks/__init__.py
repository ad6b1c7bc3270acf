"""The cost of the gateway beside that of the same work done otherwise: `python -m benchmarks`."""
