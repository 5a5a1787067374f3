"""Checks of one value each, which say why it can't be used: to values that are made, and to a file that is read."""

import re
from collections.abc import Callable
from typing import Any, Final

import attrs
from attrs import frozen

from kataven_core import InvalidValue, Problem, account_id


@frozen
class Must:
    """A check of one value, which gives the reason why it can't be used; None: it can."""

    reason: Callable[[Any], str | None]

    def __call__(self, _: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
        """Check a value that is made, as an attrs validator."""
        if value is not None and (reason := self.reason(value)):
            raise InvalidValue.of("invalid_config", [Problem(attribute.name, reason)])


def within(low: float, high: float) -> Must:
    """Take numbers from ``low`` to ``high``, both included."""
    return Must(lambda value: None if low <= value <= high else f"must be from {low} to {high}, not {value}")


def matching(pattern: str, reason: str) -> Must:
    """Take text that has this form as a whole."""
    return Must(lambda text: None if re.fullmatch(pattern, text) else reason)


def wrong_account_id(text: str) -> str | None:
    """Say why a text is no account id."""
    try:
        account_id(text)
    except InvalidValue as error:
        return error.message
    return None


NOT_BLANK: Final = matching(r"(?s).*\S.*", "is blank: give it, or leave the key out")
