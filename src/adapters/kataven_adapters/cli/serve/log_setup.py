"""The log of a server: one line for each record on stderr, JSON unless a person reads it, and nobody's number in it.

Masked wherever they stand, in messages, members and tracebacks: phone numbers (``+141…00``: the first four and the last
two characters; of fewer than ten digits the last two alone), API keys, signing secrets, bearers' tokens and the
passwords of URLs.
"""

import logging
import re
from collections.abc import Sequence
from typing import Final, TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

from kataven_adapters.cli.output import one_line

_PHONE_NUMBER: Final = re.compile(r"(?:\+|%2[Bb])([0-9]{7,})")
_SHORT_DIGITS: Final = 10
_SECRETS: Final = (
    (re.compile(r"(sk_live_)[A-Za-z0-9_-]+"), r"\1…"),
    (re.compile(r"(whsec_)[A-Za-z0-9+/=_-]+"), r"\1…"),
    (re.compile(r"(bearer +)[A-Za-z0-9._~+/=-]+", re.IGNORECASE), r"\1…"),
    (re.compile(r"(://)[^\s/@\"']+@"), r"\1…@"),
)


def set_up_logging(stream: TextIO) -> None:
    """Write all that is logged from now on to this stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Masked(processors=_readable() if stream.isatty() else _json(), foreign_pre_chain=_KNOWN))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(capture=True)
    strangers = logging.getLogger("aiohttp.server")
    strangers.filters = [each for each in strangers.filters if not isinstance(each, _NoHttp)]
    strangers.addFilter(_NoHttp())


def masked(text: str) -> str:
    """Give a text without what nobody is to read in a log."""
    for secret, shown in _SECRETS:
        text = secret.sub(shown, text)
    return _PHONE_NUMBER.sub(_mask_number, text)


def _mask_number(found: "re.Match[str]") -> str:
    digits = found[1]
    return f"+{digits[:3] if len(digits) >= _SHORT_DIGITS else ''}…{digits[-2:]}"


class _Masked(structlog.stdlib.ProcessorFormatter):
    """Masks the line as a whole, so that nothing in it can be forgotten."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class _NoHttp(logging.Filter):
    """Makes one line, and no traceback, of what is no HTTP: that is the client's fault, and daily business."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.msg, record.args = "what a client sent is no HTTP: %s", (type(error).__name__,)
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True


_KNOWN: Final[Sequence[Processor]] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def _json() -> Sequence[Processor]:
    return (
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    )


def _readable() -> Sequence[Processor]:
    return (
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _stay_a_line,
        structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0),
    )


def _stay_a_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Let nothing that was sent by somebody move the cursor of whoever reads."""
    exception = event.pop("exception", None)
    shown = {name: one_line(value) if isinstance(value, str) else value for name, value in event.items()}
    if exception:
        shown["exception"] = "\n".join(map(one_line, exception.splitlines()))
    return shown
