"""The line on which no phone rings: calls are made up, each from its attempt id alone, and end with this process."""

from kataven_core.ports import Clock, LineOptions

from .address import settings_from_url
from .line import SimulatedLine
from .settings import DEFAULT_CHANCES, SimulatedSettings

__all__ = ["DEFAULT_CHANCES", "SimulatedLine", "SimulatedSettings", "settings_from_url", "simulated_line"]


def simulated_line(url: str, clock: Clock, _: LineOptions | None = None) -> SimulatedLine:
    """Give the line that a ``simulated://`` address names, unopened; ``AdapterFault`` says what is wrong with it."""
    return SimulatedLine(settings_from_url(url), clock)
