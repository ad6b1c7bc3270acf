"""Who may ask, and how: the HTTP surface."""
