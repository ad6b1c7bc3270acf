"""What the gateway costs, beside what the same work costs otherwise: `python -m benchmarks`."""
