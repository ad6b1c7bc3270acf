"""Asks the service: layers, loaders, `$batch`, retries."""
