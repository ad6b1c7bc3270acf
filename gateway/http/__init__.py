"""How one may ask: the HTTP surface."""
