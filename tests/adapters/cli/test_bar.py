import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from kataven_adapters.cli.bar import bar
from kataven_core import CampaignId, CampaignStatus, Snapshot
from kataven_core.runtime import ImportProgress

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUNNING = Snapshot(
    campaign_id=CampaignId("c"),
    status=CampaignStatus.RUNNING,
    total=40,
    pending=20,
    in_progress=5,
    completed=10,
    failed=5,
    cancelled=0,
    suppressed=0,
    attempts=20,
    calls_in_flight=5,
    answer_rate=0.625,
    calls_per_minute=1200,
    eta=None,
    timestamp=NOW,
)

MANY = evolve(RUNNING, total=250_000, pending=200_000, calls_in_flight=100)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def last_line(screen: Terminal) -> str:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    return re.split(r"[\r\n]+", text.rstrip())[-1]


def test_the_last_state_stays_on_the_screen_in_one_line_of_eighty_columns(screen: Terminal) -> None:
    with bar(screen) as show:
        show(RUNNING)
        show(
            evolve(RUNNING, status=CampaignStatus.COMPLETED, pending=0, in_progress=0, completed=35, calls_in_flight=0)
        )
    shown = last_line(screen)
    assert re.fullmatch(r"completed ━+ 40/40 0 up, 62% answered 0:00:0\d", shown.strip())
    assert len(shown) <= 80


def test_before_any_call_has_ended_no_rate_is_told(screen: Terminal) -> None:
    with bar(screen) as show:
        show(evolve(RUNNING, answer_rate=None))
    assert " 15/40 5 up 0:00:0" in last_line(screen)
    assert "answered" not in screen.getvalue()


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (evolve(MANY, eta=NOW + timedelta(seconds=7500)), "100 up, 62% answered, about 2:05:00 left"),
        (evolve(MANY, eta=NOW + timedelta(days=9)), "100 up, 62% answered, about 9 days, 0:00:00 left"),
        (evolve(MANY, calls_in_flight=0), "0 up, 200,000 wait for their next dial"),
    ],
)
def test_words_and_figures_stay_whole_and_the_bar_gives_way(screen: Terminal, now: Snapshot, said: str) -> None:
    with bar(screen) as show:
        show(now)
    shown = last_line(screen)
    assert re.fullmatch(rf"running [━╺╸ ]* *49995/250000 {said} 0:00:0\d", shown.strip())
    assert len(shown) <= 80


def test_reading_counts_rows_without_a_total(screen: Terminal) -> None:
    with bar(screen) as show:
        show(ImportProgress(1234, 56))
    assert re.search(r"reading .* 1234/\? 56 rejected", last_line(screen))


def test_nothing_is_drawn_before_there_is_something_to_show(screen: Terminal) -> None:
    with bar(screen):
        pass
    assert screen.getvalue() == ""


def test_the_cursor_comes_back_after_a_failure(screen: Terminal) -> None:
    def fail() -> None:
        with bar(screen) as show:
            show(RUNNING)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert screen.getvalue().rindex("\x1b[?25h") > screen.getvalue().rindex("\x1b[?25l")
