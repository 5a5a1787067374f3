import sys

import pytest

from kataven_adapters.cli.line_reports import line_reports
from kataven_adapters.registry import line_from_url
from kataven_core import CommandRefused
from kataven_core.ports import LineOptions
from kataven_core.runtime import SystemClock
from kataven_core.testing.clocks import StillClock

_said: list[str] = []
OPTIONS = LineOptions(
    secret="whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3M=",  # noqa: S106 - made up
    report_url="http://127.0.0.1:8080/lines/http/reports",
)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "https://pbx.example.com"])
def test_a_line_over_http_takes_reports_by_the_name_in_its_report_url(url: str) -> None:
    line = line_from_url(url, SystemClock(), OPTIONS)
    assert [*line_reports(line, _said.append, StillClock())] == ["http"]
    assert str(OPTIONS.report_url).endswith("/lines/http/reports")


async def test_who_is_not_the_dialer_is_complained_of_once_a_minute() -> None:
    said: list[str] = []
    clock = StillClock()
    take = line_reports(line_from_url("http://127.0.0.1:9000", SystemClock(), OPTIONS), said.append, clock)["http"]
    for wait_s, count in ((0.0, 1), (59.0, 1), (1.0, 2), (30.0, 2)):
        clock.wait(wait_s)
        with pytest.raises(CommandRefused):
            await take({}, b"{}")
        assert len(said) == count
    assert said[0].startswith("reports of the dialer are refused: it is not signed: send webhook-id")


def test_a_line_in_the_process_takes_none() -> None:
    assert line_reports(line_from_url("simulated://", SystemClock()), _said.append, StillClock()) == {}


def test_without_what_the_http_line_needs_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kataven_adapters.http_line", None)
    assert line_reports(line_from_url("simulated://", SystemClock()), _said.append, StillClock()) == {}
