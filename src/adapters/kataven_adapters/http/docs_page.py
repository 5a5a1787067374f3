"""The description of the API as a page to read."""

from collections.abc import Mapping
from html import escape
from typing import Any


def page(document: Mapping[str, Any]) -> str:
    """Give the description as one page."""
    return f"<!doctype html><title>{escape(str(document['openapi']))}</title>"
