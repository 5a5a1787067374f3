"""``kataven phone-network``: a phone network in a process of its own, on which no phone rings."""

from .command import add_to

__all__ = ["add_to"]
