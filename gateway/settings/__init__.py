"""Settings: environment variables with the prefix GATEWAY_, a `.env` file, options of `serve`."""

from gateway.settings.model import Settings
from gateway.settings.reading import read_settings
from gateway.settings.sources import SettingsError
from gateway.settings.values import split

__all__ = ["Settings", "SettingsError", "read_settings", "split"]
