"""``kataven dial``: a contacts file to its end in one command."""

from .command import add_to

__all__ = ["add_to"]
