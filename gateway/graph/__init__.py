"""Where the service is asked: layers, loaders, `$batch`, retries."""
