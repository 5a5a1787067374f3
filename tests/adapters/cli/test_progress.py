import io
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from kataven_adapters.cli.progress import line, outlook, progress
from kataven_core import CampaignId, CampaignStatus, Snapshot
from kataven_core.runtime import ImportProgress

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
RUNNING = Snapshot(
    campaign_id=CampaignId("c"),
    status=CampaignStatus.RUNNING,
    total=2000,
    pending=900,
    in_progress=100,
    completed=600,
    failed=300,
    cancelled=60,
    suppressed=40,
    attempts=1234,
    calls_in_flight=100,
    answer_rate=0.5,
    calls_per_minute=1100,
    eta=NOW + timedelta(seconds=90),
    timestamp=NOW,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_line_says_where_a_campaign_stands() -> None:
    assert line(RUNNING) == ("running: 1,000 of 2,000 contacts done, 100 calls up, 1,234 dials, about 0:01:30 left")


@pytest.mark.parametrize(
    ("left_s", "said"), [(0, "1 s"), (-5, "1 s"), (59.4, "59 s"), (60, "0:01:00"), (7500, "2:05:00")]
)
def test_time_left_is_said_in_seconds_then_in_minutes_and_hours(left_s: float, said: str) -> None:
    assert outlook(evolve(RUNNING, eta=NOW + timedelta(seconds=left_s))) == f", about {said} left"


def test_what_waits_for_a_retry_is_said_while_nobody_is_called() -> None:
    waits = evolve(RUNNING, pending=900, in_progress=0, completed=700, calls_in_flight=0, eta=None)
    assert line(waits) == (
        "running: 1,100 of 2,000 contacts done, 0 calls up, 1,234 dials, 900 wait for their next dial"
    )
    for now in (
        evolve(waits, attempts=0),
        evolve(waits, pending=0),
        evolve(waits, calls_in_flight=1),
        evolve(waits, status=CampaignStatus.PAUSED),
    ):
        assert outlook(now) == ""


def test_a_line_counts_as_people_do_and_leaves_out_what_is_not_known() -> None:
    one = evolve(
        RUNNING, total=1, pending=0, in_progress=1, attempts=1, calls_in_flight=1, calls_per_minute=1, eta=None
    )
    assert line(one) == "running: 0 of 1 contact done, 1 call up, 1 dial"
    assert line(ImportProgress(1, 0)) == "reading: 1 contact, 0 rejected"
    assert line(ImportProgress(1000, 2000)) == "reading: 1,000 contacts, 2,000 rejected"


def test_lines_come_at_every_change_of_status_and_every_five_seconds_where_something_has_changed(
    clock: list[float],
) -> None:
    stream = io.StringIO()
    with progress(stream) as show:
        for seconds, now in (
            (0.0, ImportProgress(1, 0)),
            (4.9, ImportProgress(2, 0)),
            (0.1, ImportProgress(3, 0)),
            (1.0, RUNNING),
            (4.9, evolve(RUNNING, attempts=1235)),
            (0.1, evolve(RUNNING, attempts=1236)),
            (0.1, evolve(RUNNING, status=CampaignStatus.PAUSED)),
            (0.1, evolve(RUNNING, status=CampaignStatus.PAUSED)),
            (59.8, evolve(RUNNING, status=CampaignStatus.PAUSED)),
            (0.2, evolve(RUNNING, status=CampaignStatus.PAUSED)),
        ):
            clock[0] += seconds
            show(now)
    begins = [each.split(":")[0] for each in stream.getvalue().splitlines()]
    assert begins == ["reading", "running", "running", "paused", "paused"]
    assert "3 contacts" in stream.getvalue()
    assert "1,236 dials" in stream.getvalue()


def test_a_terminal_gets_a_bar_and_everything_else_gets_lines() -> None:
    for stream, is_drawn in ((Terminal(), True), (io.StringIO(), False)):
        with progress(stream) as show:
            show(RUNNING)
        assert ("━" in stream.getvalue()) is is_drawn
        assert ("calls up" in stream.getvalue()) is not is_drawn


def test_a_terminal_without_rich_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kataven_adapters.cli.bar", None)
    stream = Terminal()
    with progress(stream) as show:
        show(RUNNING)
    assert stream.getvalue() == line(RUNNING) + "\n"
