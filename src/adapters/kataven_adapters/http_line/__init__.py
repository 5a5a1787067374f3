"""The line to a dialer that speaks HTTP, in any language: it is asked for calls, and reports what became of them."""

from kataven_core import AdapterFault, InvalidValue
from kataven_core.ports import Clock, LineOptions

from .line import HttpLine
from .settings import HttpLineSettings

__all__ = ["HttpLine", "HttpLineSettings", "http_line"]


def http_line(url: str, clock: Clock, options: LineOptions) -> HttpLine:
    """Give the line to the dialer at an address, unopened; ``AdapterFault`` says what is wrong, and what to write."""
    if options.secret is None:
        raise _fault(
            'it takes a secret, or anybody could report on its calls: write secret = "env:LINE_SECRET" under [line]'
        )
    if options.report_url is None:
        raise _fault("it takes an address to which the dialer reports: write public_url under [server]")
    try:
        settings = HttpLineSettings(
            url=url,
            token=options.token,
            secret=options.secret,
            report_url=options.report_url,
            ring_timeout_s=options.ring_timeout_s,
            max_duration_s=options.max_duration_s,
        )
        return HttpLine(settings, clock)
    except InvalidValue as error:
        raise _fault(error.message) from None


def _fault(what: str) -> AdapterFault:
    return AdapterFault("invalid_url", f"the HTTP line can't be used: {what}")
