"""What takes reports over HTTP: of the lines that there are, the one that is called http:// has it."""

from kataven_adapters.wire.taking import Take
from kataven_core.ports import Line


def line_reports(line: Line) -> dict[str, Take]:
    """Give what takes a line's reports, by its name in the report URL; nothing where it needs none."""
    try:
        from kataven_adapters.http_line import HttpLine  # noqa: PLC0415 - an extra of its own
    except ModuleNotFoundError:
        return {}
    return {"http": line.take} if isinstance(line, HttpLine) else {}
