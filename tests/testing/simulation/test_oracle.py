"""Each invariant bites: the oracle is told a history in which one is breached, and notes this one and no other."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from kataven_core import (
    AccountId,
    AccountUsage,
    AccountView,
    Attempt,
    AttemptChange,
    AttemptId,
    AttemptState,
    Campaign,
    CampaignEvent,
    CampaignId,
    CampaignPaused,
    CampaignSettings,
    CampaignStatus,
    CampaignView,
    Command,
    Contact,
    ContactChange,
    ContactStatus,
    Counters,
    Decision,
    Inputs,
    Operation,
    Order,
    Outcome,
    PutAccount,
)
from kataven_core.campaign import create
from kataven_core.ports import AccountTurn
from kataven_core.testing.samples import ACME, GLOBEX, NOON, a_number, an_account, an_order
from kataven_core.testing.simulation.clock import VirtualClock
from kataven_core.testing.simulation.loop import Process, VirtualLoop
from kataven_core.testing.simulation.oracle import Oracle

A, B = CampaignId("a"), CampaignId("b")
TOTAL = 3
DELAY_S = 300


class Story:
    """What an oracle is told: an account, and campaigns of three contacts that run, with counters that are right."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop, NOON)
        self.oracle = Oracle(self.clock)
        self.process = Process(self.loop, "one", lambda: None)
        self.campaigns: dict[CampaignId, Campaign] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.contacts: dict[tuple[CampaignId, int], Contact] = {}
        self.commit(account=an_account(concurrent_max=5))
        self.run(A)

    @property
    def breached(self) -> set[str]:
        return {each.invariant for each in self.oracle.violations}

    def commit(self, account_id: AccountId = ACME, *commands: Command, **parts: Any) -> None:
        turn = AccountTurn(account_id=account_id, inputs=Inputs(commands=commands))
        decision = Decision(**{"account": None, "usage": AccountUsage.empty(NOON)} | parts)
        self.oracle.committed(self.process, [turn], [decision], self.clock.now())

    def counters(self, name: CampaignId = A, **others: Any) -> Counters:
        """Count a campaign's contacts and attempts, but for the ``others``."""
        statuses = Counter(each.status.value for (owner, _), each in self.contacts.items() if owner == name)
        statuses[ContactStatus.PENDING.value] += TOTAL - statuses.total()
        mine = [each for each in self.attempts.values() if each.campaign_id == name]
        outcomes = Counter(each.outcome for each in mine if each.outcome)
        counted = {**statuses, "attempts": len(mine), "calls_in_flight": sum(each.is_open for each in mine)}
        return Counters(campaign_id=name, **counted | {"outcomes": dict(outcomes)} | others)

    def run(self, name: CampaignId, *, cap: int = 2, **settings: Any) -> None:
        """Let a campaign begin."""
        chosen: dict[str, Any] = {
            "name": name,
            "agent_id": "agent",
            "phone_number_id": "line",
            "max_concurrent_calls": cap,
            "retries_per_contact": 1,
            "retry_delay_seconds": DELAY_S,
        }
        created, _ = create(
            CampaignSettings(**chosen | settings),
            campaign_id=name,
            account=an_account(),
            total=TOTAL,
            created_by="",
            now=NOON,
        )
        self.turn(evolve(created, status=CampaignStatus.RUNNING))

    def turn(self, campaign: Campaign) -> None:
        """Let a campaign be another."""
        self.campaigns[campaign.id] = campaign
        self.commit(campaigns=(campaign,), counters=(self.counters(campaign.id),))

    def change(self, attempt: Attempt, status: ContactStatus) -> None:
        """Let an attempt and its contact be others."""
        before = self.attempts.get(attempt.id)
        place = attempt.campaign_id, attempt.position
        contact = self.contacts.get(place) or Contact(
            campaign_id=attempt.campaign_id,
            position=attempt.position,
            phone_number=attempt.phone_number,
            updated_at=NOON,
        )
        self.attempts[attempt.id] = attempt
        self.contacts[place] = evolve(contact, status=status)
        self.commit(
            attempts=(AttemptChange(before, attempt),),
            contacts=(ContactChange(contact, self.contacts[place]),),
            counters=(self.counters(attempt.campaign_id),),
        )

    def claim(self, position: int = 0, *, name: CampaignId = A, n: int = 1, number: int | None = None) -> Order:
        """Claim a dial, and give its order."""
        attempt = Attempt(
            id=AttemptId(f"{name}.{position}.{n}"),
            account_id=ACME,
            campaign_id=name,
            position=position,
            n=n,
            phone_number=a_number(position if number is None else number),
            claimed_at=self.clock.now(),
        )
        self.change(attempt, ContactStatus.IN_PROGRESS)
        order = an_order(position, campaign_id=name)
        return evolve(order, attempt_id=attempt.id, to=attempt.phone_number)

    def dial(self, position: int = 0, **claim: Any) -> Order:
        """Claim a dial, ask for it and let the phone ring."""
        order = self.claim(position, **claim)
        self.oracle.asked(order)
        self.oracle.rings(order)
        return order

    def finish(self, order: Order, status: ContactStatus = ContactStatus.COMPLETED) -> None:
        """Commit that a call is over."""
        outcome = Outcome.ANSWERED if status is ContactStatus.COMPLETED else Outcome.BUSY
        done = evolve(self.attempts[order.attempt_id], state=AttemptState.DONE, outcome=outcome, duration_s=0.0)
        self.change(done, status)

    def end(self, order: Order, status: ContactStatus = ContactStatus.COMPLETED) -> None:
        """Let the phone be hung up, and commit it."""
        self.oracle.ends(order)
        self.finish(order, status)

    def pass_time(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))


@pytest.fixture
def story() -> Iterator[Story]:
    story = Story()
    yield story
    story.loop.close()


def test_a_history_that_keeps_all_promises_breaches_nothing(story: Story) -> None:
    first, second = story.dial(0), story.dial(1)
    story.end(first, ContactStatus.PENDING)
    story.end(second)
    story.pass_time(DELAY_S)
    story.end(story.dial(0, n=2))
    story.end(story.dial(2))
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.COMPLETED))
    story.oracle.at_the_end()
    assert story.oracle.violations == []


def test_i1_more_calls_than_the_campaigns_cap(story: Story) -> None:
    for position in range(3):
        story.claim(position)
    assert story.breached == {"I1"}


def test_i1_more_calls_than_the_accounts_cap(story: Story) -> None:
    story.claim(0)
    story.claim(1)
    story.commit(account=an_account(concurrent_max=2))
    story.campaigns[B] = evolve(story.campaigns[A], id=B)
    story.oracle.ledger.write(ACME, Decision(account=None, usage=AccountUsage.empty(NOON), **of_one(story, B)))
    story.claim(2, name=B)
    assert story.breached == {"I1"}


def of_one(story: Story, name: CampaignId) -> dict[str, Any]:
    return {"campaigns": (story.campaigns[name],), "counters": (story.counters(name),)}


def test_i1_a_phone_that_rings_counts_though_its_attempt_was_given_up(story: Story) -> None:
    for position in range(2):
        story.finish(story.dial(position))
    story.claim(2)
    assert story.breached == {"I1"}


def test_i2_an_attempt_is_asked_for_twice(story: Story) -> None:
    order = story.claim()
    story.oracle.asked(order)
    story.oracle.asked(order)
    assert story.breached == {"I2"}


def test_i2_an_attempt_rings_twice(story: Story) -> None:
    order = story.dial()
    story.oracle.ends(order)
    story.oracle.rings(order)
    assert "I2" in story.breached


def test_i3_a_number_is_in_two_calls_of_its_account(story: Story) -> None:
    story.dial(0, number=7)
    story.dial(1, number=7)
    assert story.breached == {"I3"}


def test_i3_more_dials_than_retries_allow(story: Story) -> None:
    for n in (1, 2, 3):
        story.end(story.dial(0, n=n), ContactStatus.PENDING)
        story.pass_time(DELAY_S)
    assert story.breached == {"I3"}


@pytest.mark.parametrize("operation", [Operation.PAUSE, Operation.STOP, Operation.DELETE])
def test_i4_a_call_is_asked_for_after_the_answer(story: Story, operation: Operation) -> None:
    order = story.claim()
    story.oracle.demanded(A, operation)
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.PAUSED))
    story.oracle.granted(A, operation)
    story.oracle.asked(order)
    assert story.breached == {"I4"}


def test_i4_the_answer_comes_while_a_call_is_being_asked_for(story: Story) -> None:
    order = story.claim()
    story.oracle.asked(order)
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.PAUSED))
    story.oracle.granted(A, Operation.PAUSE)
    assert story.breached == {"I4"}


def test_i4_the_answer_comes_when_what_was_asked_for_is_settled(story: Story) -> None:
    order = story.claim()
    story.oracle.asked(order)
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.PAUSED))
    story.oracle.answered(order)
    story.oracle.granted(A, Operation.PAUSE)
    assert story.breached == set()


def test_i4_asked_for_again_a_campaign_may_dial(story: Story) -> None:
    order = story.claim()
    story.oracle.demanded(A, Operation.PAUSE)
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.PAUSED))
    story.oracle.granted(A, Operation.PAUSE)
    story.oracle.demanded(A, Operation.RESUME)
    story.oracle.asked(order)
    assert story.breached == set()


def test_i4_a_campaign_that_does_not_run_claims(story: Story) -> None:
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.PAUSED))
    story.claim()
    assert story.breached == {"I4"}


def test_i5_sooner_than_the_retry_delay(story: Story) -> None:
    story.end(story.dial(0), ContactStatus.PENDING)
    story.pass_time(DELAY_S - 1)
    story.dial(0, n=2)
    assert story.breached == {"I5"}


def test_i5_before_the_schedule(story: Story) -> None:
    story.run(B, scheduled_at=NOON + timedelta(hours=1))
    assert story.breached == {"I5"}


def test_i6_contacts_that_do_not_sum_up(story: Story) -> None:
    story.commit(counters=(story.counters(pending=2),))
    assert story.breached == {"I6"}


def test_i6_contacts_that_are_counted_in_another_state(story: Story) -> None:
    story.commit(counters=(story.counters(pending=2, completed=1),))
    assert story.breached == {"I6"}


def test_i7_a_slot_is_held_in_the_end(story: Story) -> None:
    story.claim()
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.PAUSED))
    story.oracle.at_the_end()
    assert story.breached == {"I7"}


def test_i7_a_phone_rings_in_the_end(story: Story) -> None:
    story.finish(story.dial())
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.PAUSED))
    story.oracle.at_the_end()
    assert story.breached == {"I7"}


def test_i8_an_outcome_is_applied_twice(story: Story) -> None:
    order = story.dial()
    story.end(order)
    story.finish(order)
    assert story.breached == {"I8"}


@pytest.mark.parametrize("wrong", [{"attempts": 2}, {"outcomes": {Outcome.BUSY: 1}}, {"calls_in_flight": 1}])
def test_i8_counters_are_not_the_fold(story: Story, wrong: dict[str, Any]) -> None:
    story.end(story.dial())
    story.commit(counters=(story.counters(**wrong),))
    assert story.breached == {"I8"}


def an_event(sequence: int) -> CampaignEvent:
    return CampaignPaused(account_id=ACME, campaign_id=A, sequence=sequence, at=NOON)


def commit_events(story: Story, *sequences: int) -> None:
    last = story.counters(sequence=max(sequences))
    story.commit(counters=(last,), events=tuple(map(an_event, sequences)))


def test_i9_events_with_a_gap(story: Story) -> None:
    commit_events(story, 1, 3)
    assert story.breached == {"I9"}


def test_i9_a_change_without_its_event(story: Story) -> None:
    story.commit(counters=(story.counters(sequence=1),))
    assert story.breached == {"I9"}


@pytest.mark.parametrize("told", [(2,), (2, 1), (1, 2, 3), (1, 1)])
def test_i9_other_events_are_told_than_were_committed(story: Story, told: tuple[int, ...]) -> None:
    commit_events(story, 1, 2)
    story.oracle.told(story.process, [*map(an_event, told)])
    assert story.breached == {"I9"}


def test_i9_all_that_was_committed_is_told(story: Story) -> None:
    commit_events(story, 1, 2)
    story.oracle.told(story.process, [an_event(1)])
    assert [each.sequence for each in story.oracle.untold(story.process)] == [2]
    story.oracle.told(story.process, [an_event(2)])
    assert story.breached == set()


def test_i9_a_call_that_is_asked_for_and_was_never_claimed(story: Story) -> None:
    story.oracle.asked(an_order(0))
    assert story.breached == {"I9"}


def test_i10_campaigns_are_admitted_beyond_the_budget(story: Story) -> None:
    story.run(B, cap=4)
    assert story.breached == {"I10"}


@pytest.mark.parametrize(("cap", "breached"), [(3, set[str]()), (4, {"I10"})])
def test_i10_a_budget_that_is_lowered_after_an_admission_counts_as_it_was(
    story: Story, cap: int, breached: set[str]
) -> None:
    lower = an_account(concurrent_max=1)
    begun = evolve(story.campaigns[A], id=B, max_concurrent_calls=cap)
    story.commit(ACME, PutAccount(account=lower), account=lower, campaigns=(begun,), counters=(story.counters(B),))
    assert story.breached == breached


def test_i11_a_decision_changes_what_is_anothers(story: Story) -> None:
    story.commit(GLOBEX, campaigns=(story.campaigns[A],))
    assert story.breached == {"I11"}


def test_i11_a_decision_sees_what_is_anothers(story: Story) -> None:
    mine = CampaignView(campaign=story.campaigns[A], counters=story.counters())
    view = AccountView(account_id=GLOBEX, account=None, usage=AccountUsage.empty(NOON), campaigns=(mine,))
    story.oracle.saw(AccountTurn(account_id=GLOBEX), view)
    assert story.breached == {"I11"}


def test_i12_a_campaign_never_comes_to_its_end(story: Story) -> None:
    story.oracle.at_the_end()
    assert story.breached == {"I12"}


def test_i12_a_contact_never_comes_to_its_end(story: Story) -> None:
    story.turn(evolve(story.campaigns[A], status=CampaignStatus.COMPLETED))
    story.oracle.at_the_end()
    assert story.breached == {"I12"}


def test_i12_nobody_is_dialled_though_somebody_could_be(story: Story) -> None:
    story.oracle.look_for_idlers()
    assert story.breached == set()
    story.oracle.look_for_idlers()
    assert story.breached == {"I12"}


@pytest.mark.parametrize("is_dialled", [True, False])
def test_i12_whoever_has_no_slot_need_not_dial(story: Story, *, is_dialled: bool) -> None:
    story.claim(0)
    if is_dialled:
        story.oracle.look_for_idlers()
    story.claim(1)
    story.oracle.look_for_idlers()
    story.oracle.look_for_idlers()
    assert story.breached == set()
