"""What every line must do: each sentence of the port ``Line`` that holds whatever the phones do, as tests."""

# ruff: noqa: D102, S101 - tests assert on plain numbers, and their names are their docstrings

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from kataven_core import Attempt, AttemptId, Ended, Lost, NeverPlaced, Order, Outcome, Placed, Report, Unsent
from kataven_core.ports import Clock, Line, Originated

from .clocks import StillClock
from .line_listener import Listener
from .samples import NOON, an_order

CALLS = 200


class LineContract:
    """Tests of a line; ``new_line`` says which.

    Its phones may do what they like, as long as each call ends within ``patience_s``.
    """

    pytestmark = pytest.mark.asyncio
    patience_s: ClassVar[float] = 30.0
    """How long a call may take, in seconds."""
    calls_live_elsewhere: ClassVar[bool] = False
    """Whether calls go on when this process is gone."""
    quiet_s: ClassVar[float] = 0.2
    """How long it must be quiet after the line is closed, in seconds."""

    def new_line(self, tmp_path: Path, clock: Clock) -> Line:
        """Make a line that is not open yet, with a file or two in ``tmp_path`` where it needs any."""
        raise NotImplementedError

    @pytest_asyncio.fixture
    async def line(self, tmp_path: Path) -> AsyncIterator[Line]:
        """Give an open line to which nobody listens yet."""
        async with self.new_line(tmp_path, StillClock()) as line:
            yield line

    @pytest.fixture
    def heard(self, line: Line) -> Listener:
        """Give what listens to the line."""
        return Listener(line)

    async def place(self, line: Line, count: int) -> list[Originated]:
        """Ask for so many calls at once."""
        return await asyncio.gather(*(line.originate(an_order(index)) for index in range(count)))

    async def test_entering_a_line_gives_the_line(self, tmp_path: Path) -> None:
        line = self.new_line(tmp_path, StillClock())
        async with line as entered:
            assert entered is line

    async def test_a_line_that_is_open_is_in_no_trouble(self, line: Line) -> None:
        assert line.trouble is None

    async def test_originate_says_what_became_of_the_attempt_it_was_asked_for(
        self, line: Line, heard: Listener
    ) -> None:
        for index in range(20):
            report = (await line.originate(an_order(index))).report
            assert report.attempt_id == an_order(index).attempt_id
            assert isinstance(report, Placed | Unsent | Ended)
        assert heard.strangers(an_order(index) for index in range(20)) == set()

    async def test_originate_says_that_a_call_ended_only_where_the_number_is_refused(
        self, line: Line, heard: Listener
    ) -> None:
        ends = [each.report for each in await self.place(line, 50) if isinstance(each.report, Ended)]
        assert {each.outcome for each in ends} <= {Outcome.INVALID_NUMBER}
        assert {each.attempt_id for each in ends} & {*heard.reports} == set()

    async def test_every_call_that_was_placed_ends_once(self, line: Line, heard: Listener) -> None:
        placed = _placed(await self.place(line, 20))
        await heard.all_end(placed, self.patience_s)
        for name in placed:
            assert [isinstance(each, Ended) for each in heard.reports[name]].count(True) == 1

    async def test_the_end_of_a_call_is_the_last_that_is_heard_of_it(self, line: Line, heard: Listener) -> None:
        placed = _placed(await self.place(line, 20))
        await heard.all_end(placed, self.patience_s)
        await heard.rest(self.quiet_s)
        assert {type(heard.reports[name][-1]) for name in placed} <= {Ended}

    async def test_many_calls_at_once_all_end(self, line: Line, heard: Listener) -> None:
        placed = _placed(await self.place(line, CALLS))
        await heard.all_end(placed, self.patience_s)
        assert heard.strangers(an_order(index) for index in range(CALLS)) == set()

    async def test_nothing_is_heard_of_calls_that_were_not_placed(self, line: Line, heard: Listener) -> None:
        answers = await self.place(line, 50)
        await heard.all_end(_placed(answers), self.patience_s)
        assert {each.report.attempt_id for each in answers if isinstance(each.report, Unsent)} & {
            *heard.reports
        } == set()

    async def test_a_line_on_which_nothing_was_asked_for_is_quiet(self, heard: Listener) -> None:
        await heard.rest(self.quiet_s)
        assert dict(heard.reports) == {}

    async def test_nothing_is_known_of_an_attempt_that_the_line_has_never_seen(
        self, line: Line, heard: Listener
    ) -> None:
        reports = await line.reconcile([_attempt(an_order(999))])
        assert {each.attempt_id for each in reports} <= {an_order(999).attempt_id}
        assert all(isinstance(each, NeverPlaced | Lost) for each in reports)
        assert heard.strangers([an_order(999)]) == set()

    async def test_reconciling_nothing_gives_nothing(self, line: Line, heard: Listener) -> None:
        assert [*await line.reconcile([])] == []
        assert dict(heard.reports) == {}

    async def test_a_call_that_lives_is_not_said_to_be_gone(self, line: Line, heard: Listener) -> None:
        orders = {an_order(index).attempt_id: an_order(index) for index in range(20)}
        placed = _placed([await line.originate(order) for order in orders.values()])
        reports = await line.reconcile([_attempt(orders[name]) for name in placed])
        assert {each.attempt_id for each in reports} <= {*placed}
        assert [each for each in reports if isinstance(each, NeverPlaced | Lost | Unsent)] == []
        await heard.all_end(placed, self.patience_s)

    async def test_the_end_of_a_call_is_told_again_as_it_was_or_is_lost(self, line: Line, heard: Listener) -> None:
        placed = _placed(await self.place(line, 20))
        await heard.all_end(placed, self.patience_s)
        orders = {an_order(index).attempt_id: an_order(index) for index in range(20)}
        for report in await line.reconcile([_attempt(orders[name]) for name in placed]):
            assert isinstance(report, Lost) or _told(report) == _told(heard.reports[report.attempt_id][-1])

    async def test_drain_comes_back_at_once_when_no_call_is_up(self, line: Line, heard: Listener) -> None:
        async with asyncio.timeout(self.patience_s):
            await line.drain()
        assert dict(heard.reports) == {}

    async def test_no_call_that_dies_with_this_process_is_up_after_drain(self, line: Line, heard: Listener) -> None:
        placed = _placed(await self.place(line, 20))
        async with asyncio.timeout(self.patience_s):
            await line.drain()
        if not self.calls_live_elsewhere:
            await heard.all_end(placed, self.quiet_s)
        assert heard.strangers(an_order(index) for index in range(20)) == set()

    async def test_a_line_that_is_closed_leaves_no_task_behind(self, tmp_path: Path) -> None:
        before = asyncio.all_tasks()
        async with self.new_line(tmp_path, StillClock()) as line:
            Listener(line)
            await self.place(line, 20)
        assert asyncio.all_tasks() == before

    async def test_nothing_is_heard_of_a_line_that_is_closed(self, tmp_path: Path) -> None:
        async with self.new_line(tmp_path, StillClock()) as line:
            heard = Listener(line)
            await self.place(line, 50)
        known = heard.count
        await heard.rest(self.quiet_s)
        assert heard.count == known


def _placed(answers: Iterable[Originated]) -> list[AttemptId]:
    return [each.report.attempt_id for each in answers if isinstance(each.report, Placed)]


def _attempt(order: Order) -> Attempt:
    """Give the attempt that an order belongs to, as it is when nothing was heard of it."""
    position = int(order.variables["row"])
    return Attempt(
        id=order.attempt_id,
        account_id=order.account_id,
        campaign_id=order.campaign_id,
        position=position,
        n=1,
        phone_number=order.to,
        claimed_at=NOON,
    )


def _told(report: Report) -> object:
    """Give what an end says."""
    return isinstance(report, Ended) and (report.outcome, report.at)
