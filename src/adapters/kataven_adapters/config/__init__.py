"""The configuration: a TOML file in, checked values out."""

from .file import load_config
from .values import AccountConfig, ApiKeyConfig, Config, EventsConfig, LineConfig, ServerConfig, StoreConfig

__all__ = [
    "AccountConfig",
    "ApiKeyConfig",
    "Config",
    "EventsConfig",
    "LineConfig",
    "ServerConfig",
    "StoreConfig",
    "load_config",
]
