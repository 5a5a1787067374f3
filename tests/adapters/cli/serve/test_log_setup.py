import json
import logging
import re
import warnings
from collections.abc import Iterator
from io import StringIO

import pytest
from aiohttp.http_exceptions import BadHttpMessage

from kataven_adapters.cli.serve.log_setup import masked, set_up_logging

log = logging.getLogger("kataven_core.engine")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the log as it was: it is one for the whole process."""
    root, strangers = logging.getLogger(), logging.getLogger("aiohttp.server")
    level = root.level
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(strangers, "filters", [])
    yield
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.fixture
def stream() -> StringIO:
    stream = StringIO()
    set_up_logging(stream)
    return stream


@pytest.fixture
def screen() -> StringIO:
    screen = Terminal()
    set_up_logging(screen)
    return screen


def fail(error: Exception, logger: logging.Logger = log, extra: dict[str, object] | None = None) -> None:
    """Log an error that was raised, as one that is not expected."""
    try:
        raise error
    except type(error):
        logger.exception("Error handling request from %s", "1.2.3.4", extra=extra)


def record(stream: StringIO) -> dict[str, object]:
    [line] = stream.getvalue().splitlines()
    read: dict[str, object] = json.loads(line)
    return read


# The forms.


def test_a_record_is_a_line_of_json_with_what_is_known_of_it(stream: StringIO) -> None:
    facts = {"request_id": "r-1", "status": 200, "took_ms": 1.5, "account_id": "acme"}
    log.warning("%s %s", "GET", "/campaigns", extra=facts)
    found = record(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(found.pop("timestamp")))
    assert found == {"level": "warning", "logger": "kataven_core.engine", "message": "GET /campaigns", **facts}


def test_what_is_not_worth_a_line_is_left_out(stream: StringIO) -> None:
    log.debug("quiet")
    logging.getLogger("asyncio").debug("quiet")
    assert stream.getvalue() == ""
    log.info("said")
    assert record(stream)["message"] == "said"


def test_a_failure_is_one_line_too(stream: StringIO) -> None:
    fail(ValueError("a\nb"))
    found = record(stream)
    assert found["level"] == "error"
    assert str(found["exception"]).endswith("ValueError: a\nb")


def test_what_is_no_json_is_shown_as_text(stream: StringIO) -> None:
    log.info("said", extra={"where": StringIO})
    assert record(stream)["where"] == "<class '_io.StringIO'>"


def test_a_person_reads_lines(screen: StringIO) -> None:
    log.warning("GET /campaigns", extra={"status": 200})
    assert re.fullmatch(r"\S+Z \[warning *\] GET /campaigns +\[kataven_core\.engine\] status=200\n", screen.getvalue())


def test_nothing_that_was_sent_moves_the_cursor(screen: StringIO) -> None:
    log.warning("a\x1b[2Jb\nc", extra={"path": "d\x1b[2J\ne"})
    assert "\x1b" not in screen.getvalue()
    assert screen.getvalue().count("\n") == 1


def test_a_person_sees_where_it_failed(screen: StringIO) -> None:
    fail(ValueError("a\x1b[2J +14155550100"))
    lines = screen.getvalue().splitlines()
    assert lines[1].startswith("Traceback ")
    assert lines[-1] == "ValueError: a\\x1b[2J +141…00"


def test_warnings_of_python_are_logged(stream: StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        set_up_logging(stream)
        warnings.warn("old", stacklevel=1)
    logging.captureWarnings(capture=False)
    assert "UserWarning: old" in str(record(stream)["message"])


def test_it_may_be_set_up_again(stream: StringIO) -> None:
    again = StringIO()
    set_up_logging(again)
    log.info("said")
    assert stream.getvalue() == ""
    assert record(again)["message"] == "said"
    assert len(logging.getLogger("aiohttp.server").filters) == 1


# What nobody is to read.


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("calls +14155550100 now", "calls +141…00 now"),
        ("+4915112345678", "+491…78"),
        ("+123456789012345", "+123…45"),
        ("+1234567", "+…67"),
        ("+123456789", "+…89"),
        ("+1234567890", "+123…90"),
        ("to=%2B14155550100&x", "to=+141…00&x"),
        ("+123456", "+123456"),
        ("2026-03-02T12:00:00+0000", "2026-03-02T12:00:00+0000"),
        ("sk_live_acme_a-b_c9", "sk_live_…"),
        ("Bearer abc.DEF-123~+/=", "Bearer …"),
        ("whsec_abc+/=.", "whsec_…."),
        ("postgresql://me:secret@db/calls", "postgresql://…@db/calls"),
        ("http://127.0.0.1:8080/docs", "http://127.0.0.1:8080/docs"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_numbers_and_secrets_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_they_are_masked_wherever_they_stand(stream: StringIO) -> None:
    number, key = "+14155550100", "sk_live_acme_secret"
    log.info("%s", number)
    fail(ValueError(f"{number} {key}"), extra={"to": number, "deep": {"list": [key, number]}, number: "name"})
    assert not any(word in stream.getvalue() for word in (number, "secret", "5555"))
    assert stream.getvalue().count("+141…00") == 5


# What strangers send.


def test_what_is_no_http_is_a_line_without_a_traceback(stream: StringIO) -> None:
    fail(BadHttpMessage("GET /secret-path"), logging.getLogger("aiohttp.server"))
    found = record(stream)
    assert found["message"] == "what a client sent is no HTTP: BadHttpMessage"
    assert found["level"] == "info"
    assert "exception" not in found
    assert "secret-path" not in stream.getvalue()


def test_what_is_our_own_fault_keeps_its_traceback(stream: StringIO) -> None:
    fail(ValueError("ours"), logging.getLogger("aiohttp.server"))
    found = record(stream)
    assert found["level"] == "error"
    assert "ValueError: ours" in str(found["exception"])
