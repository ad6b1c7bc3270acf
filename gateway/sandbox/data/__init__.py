"""Rows: documented, generated from a seed, and edited."""
