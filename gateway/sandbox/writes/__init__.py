"""The tenant, the methods that change it, and the checks of their bodies."""
