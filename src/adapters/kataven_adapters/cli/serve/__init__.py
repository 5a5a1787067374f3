"""``kataven serve``: the campaigns API as a process."""

from .command import add_to

__all__ = ["add_to"]
