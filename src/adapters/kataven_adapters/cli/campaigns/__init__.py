"""``kataven campaigns``: what is done on a server, by the Python client."""

from .command import add_to

__all__ = ["add_to"]
