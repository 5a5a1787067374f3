"""How a server's answers look to a person: nothing that it sends moves the cursor or breaks a line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kataven_adapters.cli.output import one_line


class Table:
    """Rows below titles, as wide as the widest; those of a later page go on below."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles: list[Sequence[str]] = [[title.upper().replace("_", " ") for title in titles]]
        self._widths = [0] * len(titles)

    def lines(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Yield a line for each row, and the titles before the first."""
        found, self._titles = [*self._titles, *rows], []
        for row in found:
            self._widths = [max(width, len(cell)) for width, cell in zip(self._widths, row, strict=True)]
        for row in found:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, self._widths, strict=True)).rstrip()


def members_of(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Give the objects in an array that an answer holds; whatever else a server sends is passed over."""
    found = answer.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(value: object) -> str:
    """Give a value as one line; a dash where there is none."""
    return "-" if value is None else one_line(str(value))


def campaign_lines(campaign: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each member."""
    width = max(map(len, campaign), default=0)
    return (f"{one_line(name):<{width}}  {text(value)}" for name, value in campaign.items())
