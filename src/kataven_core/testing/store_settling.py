"""What a settle leaves behind: all that was decided, or nothing."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from kataven_core import (
    AccountView,
    Answered,
    AttemptId,
    Contact,
    ContactStatus,
    Decision,
    Doubtful,
    Inputs,
    NotFound,
    Outcome,
    Placed,
    cancel_contact,
    decide,
)

from .host import Host, a_turn
from .samples import ACME, AGENTS, GLOBEX, NOON, an_account, create, ended, operate, put, rows, rows_with
from .store_suite import StoreSuite


class SettleContract(StoreSuite):
    """Decisions, as they are read afterwards."""

    async def test_an_account_that_was_never_put_is_not_found(self, bare: Host) -> None:
        with pytest.raises(NotFound, match="no such account in this account"):
            await bare.store.account(ACME)

    async def test_a_turn_without_a_put_makes_no_account(self, bare: Host) -> None:
        await bare.turn(ended("a.0.1"))
        with pytest.raises(NotFound):
            await bare.store.account(ACME)

    async def test_an_account_is_given_as_it_was_put_last(self, host: Host) -> None:
        await host.turn(put(concurrent_max=3, paused=AGENTS[1:]))
        assert await host.store.account(ACME) == an_account(concurrent_max=3, paused=AGENTS[1:])
        assert await host.store.account(GLOBEX) == an_account(GLOBEX)

    async def test_no_turns_give_no_decisions(self, host: Host) -> None:
        assert [*await host.store.settle([], decide, NOON)] == []

    async def test_decisions_come_in_the_order_of_the_turns(self, bare: Host) -> None:
        for accounts in ((ACME, GLOBEX), (GLOBEX, ACME)):
            turns = [a_turn(put(name), account_id=name) for name in accounts]
            decisions = await bare.store.settle(turns, decide, NOON)
            assert [each.answers for each in decisions] == [(an_account(name),) for name in accounts]

    async def test_decide_is_given_the_inputs_and_the_time(self, host: Host) -> None:
        given: list[tuple[Inputs, datetime]] = []

        def look(view: AccountView, inputs: Inputs, now: datetime) -> Decision:
            given.append((inputs, now))
            return decide(view, inputs, now)

        turn, at = a_turn(ended("a.0.1"), line_is_up=False), NOON + timedelta(microseconds=1)
        await host.store.settle([turn], look, at)
        assert given[-1] == (turn.inputs, at)

    async def test_a_campaign_is_read_as_it_was_created(self, host: Host) -> None:
        at = NOON + timedelta(days=1, microseconds=3)
        (answer,) = (await host.turn(create("a", 0, name="Rück\N{LINE SEPARATOR}ruf 😀 'x'", scheduled_at=at))).answers
        assert await host.campaign("a") == answer

    async def test_a_campaign_is_read_as_each_move_left_it(self, host: Host) -> None:
        await host.create("a", 3)
        for move in ("start", "pause", "resume", "stop"):
            host.wait(1.5)
            (answer,) = (await host.turn(operate("a", move))).answers
            assert await host.campaign("a") == answer

    async def test_counters_are_read_as_they_were_decided(self, host: Host) -> None:
        await host.begin("a", 5, max_concurrent_calls=3, retries_per_contact=1)
        for reports in ([], [ended("a.0.1"), ended("a.1.1", Outcome.BUSY)], [ended("a.2.1", Outcome.DECLINED)]):
            decision = await host.turn(*reports, look_at=["a"])
            assert [await host.counters("a")] == [*decision.counters]

    async def test_contacts_are_read_as_they_were_decided(self, host: Host) -> None:
        await host.begin("a", 3, retries_per_contact=1)
        dialled = await host.turn(look_at=["a"])
        assert await host.contacts("a") == [after for _, after in dialled.contacts]
        host.wait(7.000001)
        over = await host.turn(ended("a.0.1", Outcome.BUSY), ended("a.1.1", Outcome.MACHINE), ended("a.2.1"))
        assert await host.contacts("a") == [after for _, after in over.contacts]

    async def test_attempts_are_read_as_they_were_decided(self, host: Host) -> None:
        await host.begin("a")
        await host.dial("a")
        host.wait(3.25)
        name = AttemptId("a.0.1")
        for report in (Doubtful(attempt_id=name, at=host.now), Placed(attempt_id=name, at=host.now, call_id="'; --")):
            decision = await host.turn(report)
            assert await host.open_attempts() == {name: decision.attempts[0].after}
        decision = await host.turn(Answered(attempt_id=name, at=host.now))
        assert await host.open_attempts() == {name: decision.attempts[0].after}

    async def test_a_turn_may_bring_thousands_of_reports(self, host: Host) -> None:
        await host.begin("a", 2_500, max_concurrent_calls=2_500)
        up = await host.dial("a")
        await host.turn(*map(ended, up))
        counters = await host.counters("a")
        assert (len(up), counters.completed, counters.calls_in_flight) == (2_500, 2_500, 0)
        assert (await host.campaign("a")).status == "completed"

    async def test_a_turn_may_name_hundreds_of_campaigns(self, host: Host) -> None:
        names = [f"c{index}" for index in range(500)]
        await host.turn(*(create(name, 0) for name in names))
        await host.turn(*(operate(name, "start") for name in names))
        assert {each.status for each in await host.store.campaigns(ACME)} == {"completed"}
        assert len((await host.view(look_at=names)).campaigns) == 500

    async def test_a_number_whose_call_ends_may_be_dialled_in_the_same_turn(self, host: Host) -> None:
        await host.begin("a", rows_with([1, 1]))
        await host.begin("b", rows_with([1]))
        assert await host.dial("a", "b") == ["a.0.1"]
        for name, heir in (("a.0.1", "b.0.1"), ("b.0.1", "a.1.1")):
            await host.turn(ended(name), look_at=["b" if heir[0] == "b" else "a"])
            assert [*await host.open_attempts()] == [heir]

    async def test_stop_cancels_all_that_are_pending_and_no_others(self, host: Host) -> None:
        await host.begin("a", 2_500, max_concurrent_calls=2, retries_per_contact=1)
        await host.begin("b", rows_with([7_001, 7_002]), max_concurrent_calls=1)
        await host.dial("a", "b")
        await host.turn(ended("a.0.1", Outcome.BUSY))
        others = await host.contacts("b")
        host.wait(5)
        await host.turn(operate("a", "stop"))
        dialled, cancelled = _parted(await host.contacts("a"))
        assert [each.position for each in dialled] == [1, 2]
        assert len(cancelled) == 2_498
        assert {(each.next_attempt_at, each.updated_at) for each in cancelled} == {(None, host.now)}
        assert await host.contacts("b") == others

    async def test_stop_keeps_what_a_cancelled_contact_has_been_through(self, host: Host) -> None:
        await host.begin("a", retries_per_contact=1)
        await host.dial("a")
        await host.turn(ended("a.0.1", Outcome.BUSY))
        (before,) = await host.contacts("a")
        host.wait(5)
        await host.turn(operate("a", "stop"))
        assert await host.contacts("a") == [cancel_contact(before, host.now)]

    async def test_contacts_are_written_before_the_pending_are_cancelled(self, host: Host) -> None:
        await host.begin("a", 2, max_concurrent_calls=1, retries_per_contact=1)
        await host.dial("a")
        await host.turn(ended("a.0.1", Outcome.BUSY), operate("a", "stop"))
        assert {each.status for each in await host.contacts("a")} == {ContactStatus.CANCELLED}

    async def test_a_campaign_that_fails_cancels_its_pending_contacts_alone(self, host: Host) -> None:
        await host.begin("a", 3, max_concurrent_calls=1)
        await host.begin("b", rows_with([7, 8]), agent_id="other", max_concurrent_calls=1)
        await host.dial("a")
        host.wait(5)
        await host.turn(put(paused=AGENTS[:1]), line_is_up=False)
        assert [each.status for each in await host.contacts("a")] == ["in_progress", "cancelled", "cancelled"]
        assert [each.status for each in await host.contacts("b")] == ["pending", "pending"]

    async def test_a_campaign_that_is_made_and_stopped_in_one_turn_has_nobody_pending(self, host: Host) -> None:
        await host.stage("a", rows(3))
        await host.turn(create("a", 3), operate("a", "start"), operate("a", "stop"), line_is_up=False)
        assert [each.status for each in await host.contacts("a")] == ["cancelled"] * 3
        assert ((await host.counters("a")).cancelled, (await host.counters("a")).pending) == (3, 0)

    async def test_a_campaign_whose_time_comes_while_it_is_uploaded_and_that_fails_at_once_has_nobody_pending(
        self, host: Host
    ) -> None:
        await host.stage("a", rows(3))
        host.wait(60)
        await host.turn(create("a", 3, scheduled_at=NOON + timedelta(seconds=30)), put(paused=["agent"]))
        assert (await host.campaign("a")).status == "failed"
        assert [each.status for each in await host.contacts("a")] == ["cancelled"] * 3

    async def test_a_cancelled_contact_is_no_candidate_when_its_campaign_is_looked_at(self, host: Host) -> None:
        await host.begin("a", 3)
        await host.turn(operate("a", "stop"))
        assert await host.dial("a") == []


def _parted(contacts: Sequence[Contact]) -> tuple[list[Contact], list[Contact]]:
    """Part those that are in a call from those that are cancelled."""
    return (
        [each for each in contacts if each.status is ContactStatus.IN_PROGRESS],
        [each for each in contacts if each.status is ContactStatus.CANCELLED],
    )
