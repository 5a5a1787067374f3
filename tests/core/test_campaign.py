from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from kataven_core.account import NO_LIMIT, Account, Agent, AgentStatus, Caps, OutboundNumber
from kataven_core.campaign import (
    TABLE,
    Campaign,
    Occurrence,
    Operation,
    Transition,
    apply,
    come_due,
    create,
    fail,
    finish,
    operate,
)
from kataven_core.counters import Counters
from kataven_core.errors import BudgetExhausted, CommandRefused, InvalidValue
from kataven_core.events import (
    AttemptDoubted,
    CampaignCompleted,
    CampaignCreated,
    CampaignDeleted,
    CampaignEvent,
    CampaignFailed,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopped,
)
from kataven_core.phone_number import PhoneNumber
from kataven_core.retry import RetryPolicy
from kataven_core.settings import CampaignSettings
from kataven_core.statuses import CampaignStatus
from kataven_core.values import AccountId, AttemptId, CampaignId

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
DAY = timedelta(days=1)
ACME = Account(
    id=AccountId("acme"),
    caps=Caps(concurrent_max=100),
    agents=(Agent(id="anna"),),
    phone_numbers=(OutboundNumber(id="office", e164=PhoneNumber("+14155550100")),),
)
DRAFT = Campaign(
    id=CampaignId("spring"),
    account_id=ACME.id,
    name="Spring",
    agent_id="anna",
    phone_number_id="office",
    status=CampaignStatus.DRAFT,
    max_concurrent_calls=5,
    retries_per_contact=2,
    retry_delay_seconds=300,
    scheduled_at=None,
    created_at=NOW - 9 * DAY,
    created_by="key",
)
SCHEDULED = evolve(DRAFT, status=CampaignStatus.SCHEDULED, scheduled_at=NOW)
RUNNING = evolve(SCHEDULED, status=CampaignStatus.RUNNING, started_at=NOW - 2 * DAY)
PAUSED = evolve(RUNNING, status=CampaignStatus.PAUSED)
COMPLETED = evolve(RUNNING, status=CampaignStatus.COMPLETED, completed_at=NOW - DAY)
FAILED = evolve(RUNNING, status=CampaignStatus.FAILED, completed_at=NOW - DAY)
CAMPAIGNS = {
    "draft": DRAFT,
    "scheduled": SCHEDULED,
    "running": RUNNING,
    "paused": PAUSED,
    "completed": COMPLETED,
    "failed": FAILED,
}
SOME_LEFT = Counters(campaign_id=DRAFT.id, pending=7, in_progress=2, completed=1, calls_in_flight=2, sequence=41)
NONE_LEFT = Counters(campaign_id=DRAFT.id, completed=8, failed=2, sequence=41)


def happened(kind: Any, sequence: int = 42, **details: Any) -> CampaignEvent:
    event: CampaignEvent = kind(account_id=ACME.id, campaign_id=DRAFT.id, sequence=sequence, at=NOW, **details)
    return event


def operated(
    campaign: Campaign,
    operation: str,
    *,
    counters: Counters = SOME_LEFT,
    account: Account = ACME,
    reserved: int = 0,
) -> Transition:
    return operate(campaign, Operation(operation), counters=counters, account=account, reserved=reserved, now=NOW)


def refused(*of: Any, **given: Any) -> CommandRefused:
    with pytest.raises(CommandRefused) as caught:
        operated(*of, **given)
    return caught.value


STARTED = {"status": CampaignStatus.RUNNING, "started_at": NOW}, happened(CampaignStarted)
RESUMED = {"status": CampaignStatus.RUNNING}, happened(CampaignResumed)
PAUSED_NOW = {"status": CampaignStatus.PAUSED}, happened(CampaignPaused)
STOPPED = {"status": CampaignStatus.COMPLETED, "completed_at": NOW}, happened(CampaignStopped, cancelled=7)
DELETED = {"is_deleted": True}, happened(CampaignDeleted)
REFUSED = None
OPERATIONS: dict[tuple[str, str], tuple[dict[str, Any], CampaignEvent] | None] = {
    ("draft", "start"): STARTED,
    ("draft", "resume"): REFUSED,
    ("draft", "pause"): REFUSED,
    ("draft", "stop"): REFUSED,
    ("draft", "delete"): DELETED,
    ("scheduled", "start"): STARTED,
    ("scheduled", "resume"): REFUSED,
    ("scheduled", "pause"): REFUSED,
    ("scheduled", "stop"): STOPPED,
    ("scheduled", "delete"): DELETED,
    ("running", "start"): REFUSED,
    ("running", "resume"): REFUSED,
    ("running", "pause"): PAUSED_NOW,
    ("running", "stop"): STOPPED,
    ("running", "delete"): REFUSED,
    ("paused", "start"): RESUMED,
    ("paused", "resume"): RESUMED,
    ("paused", "pause"): REFUSED,
    ("paused", "stop"): STOPPED,
    ("paused", "delete"): DELETED,
    ("completed", "start"): REFUSED,
    ("completed", "resume"): REFUSED,
    ("completed", "pause"): REFUSED,
    ("completed", "stop"): REFUSED,
    ("completed", "delete"): DELETED,
    ("failed", "start"): REFUSED,
    ("failed", "resume"): REFUSED,
    ("failed", "pause"): REFUSED,
    ("failed", "stop"): REFUSED,
    ("failed", "delete"): DELETED,
}
ALLOWED = {cell: moved for cell, moved in OPERATIONS.items() if moved}
WHY_FAILED = "agent_id is no agent of this account: name one of its active agents"
OCCURRENCES: dict[tuple[str, str], tuple[dict[str, Any], CampaignEvent] | None] = {
    ("draft", "come_due"): None,
    ("draft", "finish"): None,
    ("draft", "fail"): None,
    ("scheduled", "come_due"): STARTED,
    ("scheduled", "finish"): None,
    ("scheduled", "fail"): None,
    ("running", "come_due"): None,
    ("running", "finish"): (
        {"status": CampaignStatus.COMPLETED, "completed_at": NOW},
        happened(CampaignCompleted),
    ),
    ("running", "fail"): (
        {"status": CampaignStatus.FAILED, "completed_at": NOW},
        happened(CampaignFailed, cancelled=7, reason=WHY_FAILED),
    ),
    ("paused", "come_due"): None,
    ("paused", "finish"): None,
    ("paused", "fail"): None,
    ("completed", "come_due"): None,
    ("completed", "finish"): None,
    ("completed", "fail"): None,
    ("failed", "come_due"): None,
    ("failed", "finish"): None,
    ("failed", "fail"): None,
}


def befallen(campaign: Campaign, occurrence: str) -> Transition:
    match occurrence:
        case "come_due":
            return come_due(campaign, counters=SOME_LEFT, account=ACME, reserved=0, now=NOW)
        case "finish":
            return finish(campaign, counters=NONE_LEFT, now=NOW)
        case _:
            return fail(campaign, counters=SOME_LEFT, account=evolve(ACME, agents=()), now=NOW)


def folded(campaign: Campaign | None, events: Iterable[CampaignEvent]) -> Campaign | None:
    return reduce(apply, events, campaign)


def test_the_tables_are_whole() -> None:
    assert set(OPERATIONS) == {(status, operation) for status in CampaignStatus for operation in Operation}
    assert set(OCCURRENCES) == {(status, occurrence) for status in CampaignStatus for occurrence in Occurrence}


@pytest.mark.parametrize(("status", "operation"), ALLOWED)
def test_what_an_operation_does(status: str, operation: str) -> None:
    changes, event = ALLOWED[status, operation]
    before = CAMPAIGNS[status]
    assert operated(before, operation) == Transition(evolve(before, **changes), (event,))


@pytest.mark.parametrize(("status", "operation"), [cell for cell in OPERATIONS if cell not in ALLOWED])
def test_what_is_refused_names_operation_and_status_and_changes_nothing(status: str, operation: str) -> None:
    before = evolve(CAMPAIGNS[status])
    error = refused(before, operation)
    assert error.code == "not_allowed_now"
    assert error.message.startswith(f"cannot {operation} a campaign that is {status}: ")
    assert before == CAMPAIGNS[status]


@pytest.mark.parametrize(
    ("status", "possible"),
    [
        ("draft", "start or delete"),
        ("scheduled", "start or stop or delete"),
        ("running", "pause or stop"),
        ("paused", "start or resume or stop or delete"),
        ("completed", "delete"),
        ("failed", "delete"),
    ],
)
def test_a_refusal_says_what_can_be_done(status: str, possible: str) -> None:
    operation = next(operation for at, operation in OPERATIONS if at == status and (at, operation) not in ALLOWED)
    assert refused(CAMPAIGNS[status], operation).message == (
        f"cannot {operation} a campaign that is {status}: what can be done with it now is {possible}"
    )


@pytest.mark.parametrize(("status", "occurrence"), OCCURRENCES)
def test_what_befalls_a_campaign(status: str, occurrence: str) -> None:
    before = CAMPAIGNS[status]
    moved = befallen(before, occurrence)
    expected = OCCURRENCES[status, occurrence]
    if expected is None:
        assert moved == Transition(before, ())
        assert moved.campaign is before
    else:
        changes, event = expected
        assert moved == Transition(evolve(before, **changes), (event,))


def test_the_published_table_is_what_happens() -> None:
    what_happens = {cell: moved[0].get("status") for cell, moved in {**OPERATIONS, **OCCURRENCES}.items() if moved}
    assert what_happens == TABLE


@pytest.mark.parametrize(("status", "operation"), ALLOWED)
@pytest.mark.parametrize("counters", [SOME_LEFT, NONE_LEFT], ids=["some left", "none left"])
def test_folding_the_events_of_an_operation_in_gives_the_same_campaign(
    status: str, operation: str, counters: Counters
) -> None:
    moved = operated(CAMPAIGNS[status], operation, counters=counters)
    assert folded(CAMPAIGNS[status], moved.events) == moved.campaign


@pytest.mark.parametrize(("status", "occurrence"), OCCURRENCES)
def test_folding_the_events_of_an_occurrence_in_gives_the_same_campaign(status: str, occurrence: str) -> None:
    moved = befallen(CAMPAIGNS[status], occurrence)
    assert folded(CAMPAIGNS[status], moved.events) == moved.campaign


@pytest.mark.parametrize(("status", "operation"), ALLOWED)
def test_the_schedule_and_the_first_start_stay_as_they_were(status: str, operation: str) -> None:
    before = CAMPAIGNS[status]
    after = operated(before, operation).campaign
    assert after.scheduled_at == before.scheduled_at
    assert before.started_at in (None, after.started_at)
    assert before.completed_at in (None, after.completed_at)


def test_an_early_start_keeps_the_schedule() -> None:
    early = evolve(SCHEDULED, scheduled_at=NOW + DAY)
    started = operated(early, "start").campaign
    assert (started.status, started.started_at, started.scheduled_at) == (CampaignStatus.RUNNING, NOW, NOW + DAY)


# The budget

WAYS_IN = [(DRAFT, "start"), (SCHEDULED, "start"), (PAUSED, "start"), (PAUSED, "resume")]
way_in = pytest.mark.parametrize(("campaign", "operation"), WAYS_IN, ids=lambda part: getattr(part, "status", part))


def allowing(concurrent_max: int) -> Account:
    return evolve(ACME, caps=Caps(concurrent_max=concurrent_max))


@way_in
def test_what_fits_exactly_runs(campaign: Campaign, operation: str) -> None:
    assert operated(campaign, operation, account=allowing(20), reserved=15).campaign.status == "running"
    assert operated(campaign, operation, account=allowing(NO_LIMIT), reserved=15).campaign.status == "running"


@way_in
def test_what_does_not_fit_is_refused_with_the_numbers_and_what_to_do(campaign: Campaign, operation: str) -> None:
    error = refused(campaign, operation, account=allowing(20), reserved=16)
    assert isinstance(error, BudgetExhausted)
    assert (error.reserved, error.wanted, error.allowed) == (16, 5, 20)
    for words in (
        "reserve 16 ",
        "wants 5,",
        "allows 20;",
        f"cannot {operation} a campaign that is {campaign.status}:",
        "stop or pause a running campaign",
    ):
        assert words in error.message


@way_in
def test_a_budget_of_0_blocks(campaign: Campaign, operation: str) -> None:
    assert isinstance(refused(campaign, operation, account=allowing(0)), BudgetExhausted)


def test_a_schedule_comes_due_only_within_the_budget() -> None:
    due = {"counters": SOME_LEFT, "now": NOW}
    assert come_due(SCHEDULED, account=allowing(20), reserved=15, **due).campaign.status == "running"  # type: ignore[arg-type] # they are given by their names
    for account, reserved in ((allowing(20), 16), (allowing(0), 0)):
        with pytest.raises(BudgetExhausted, match=r"^cannot start a campaign that is scheduled: "):
            come_due(SCHEDULED, account=account, reserved=reserved, **due)  # type: ignore[arg-type] # they are given by their names


@pytest.mark.parametrize(
    ("campaign", "operation"),
    [(RUNNING, "pause"), (RUNNING, "stop"), (PAUSED, "stop"), (PAUSED, "delete")],
)
def test_leaving_needs_no_budget_and_no_agent(campaign: Campaign, operation: str) -> None:
    nothing_left = Account(id=ACME.id, caps=Caps(concurrent_max=0))
    assert operated(campaign, operation, account=nothing_left, reserved=500) == operated(campaign, operation)


def test_the_status_is_judged_before_the_budget() -> None:
    assert refused(RUNNING, "start", account=allowing(0)).code == "not_allowed_now"


# Schedules


@pytest.mark.parametrize(
    ("scheduled_at", "is_due"),
    [(NOW - DAY, True), (NOW, True), (NOW + timedelta(microseconds=1), False), (NOW + DAY, False)],
)
def test_a_schedule_comes_due_at_its_time_or_later(
    scheduled_at: datetime,
    is_due: bool,  # noqa: FBT001 - a column of the table
) -> None:
    before = evolve(SCHEDULED, scheduled_at=scheduled_at)
    moved = come_due(before, counters=SOME_LEFT, account=ACME, reserved=0, now=NOW)
    started = Transition(evolve(before, status=CampaignStatus.RUNNING, started_at=NOW), (happened(CampaignStarted),))
    assert moved == (started if is_due else Transition(before, ()))


def test_what_is_not_due_asks_for_no_budget() -> None:
    before = evolve(SCHEDULED, scheduled_at=NOW + DAY)
    assert come_due(before, counters=SOME_LEFT, account=allowing(0), reserved=0, now=NOW).events == ()


# The end


def test_a_running_campaign_with_something_left_goes_on() -> None:
    for left in (SOME_LEFT, evolve(NONE_LEFT, pending=1), evolve(NONE_LEFT, in_progress=1)):
        assert finish(RUNNING, counters=left, now=NOW) == Transition(RUNNING, ())


@pytest.mark.parametrize("operation", ["start", "resume"])
def test_a_paused_campaign_with_nothing_left_is_completed_by_its_resume(operation: str) -> None:
    assert operated(PAUSED, operation, counters=NONE_LEFT) == Transition(
        evolve(PAUSED, status=CampaignStatus.COMPLETED, completed_at=NOW),
        (happened(CampaignResumed), happened(CampaignCompleted, sequence=43)),
    )


def test_a_stop_cancels_what_is_pending_and_only_that() -> None:
    for pending in (0, 7):
        stopped = operated(RUNNING, "stop", counters=evolve(SOME_LEFT, pending=pending))
        assert stopped.events == (happened(CampaignStopped, cancelled=pending),)


# Agent and number

BARRED = {
    "agent gone": (evolve(ACME, agents=()), ["agent_id"]),
    "agent draft": (evolve(ACME, agents=(Agent(id="anna", status=AgentStatus.DRAFT),)), ["agent_id"]),
    "agent paused": (evolve(ACME, agents=(Agent(id="anna", status=AgentStatus.PAUSED),)), ["agent_id"]),
    "agent archived": (evolve(ACME, agents=(Agent(id="anna", status=AgentStatus.ARCHIVED),)), ["agent_id"]),
    "number gone": (evolve(ACME, phone_numbers=()), ["phone_number_id"]),
    "number disabled": (
        evolve(ACME, phone_numbers=(evolve(ACME.phone_numbers[0], outbound_enabled=False),)),
        ["phone_number_id"],
    ),
    "both gone": (evolve(ACME, agents=(), phone_numbers=()), ["agent_id", "phone_number_id"]),
}
barred = pytest.mark.parametrize("why", BARRED)


@way_in
@barred
def test_what_may_not_call_does_not_run(campaign: Campaign, operation: str, why: str) -> None:
    account, fields = BARRED[why]
    error = refused(campaign, operation, account=account)
    assert error.code == "cannot_call"
    assert error.message.startswith(f"cannot {operation} a campaign that is {campaign.status}: ")
    assert all(field in error.message for field in fields)


@barred
def test_a_running_campaign_that_may_call_no_more_fails_and_says_why(why: str) -> None:
    account, fields = BARRED[why]
    moved = fail(RUNNING, counters=SOME_LEFT, account=account, now=NOW)
    assert moved.campaign == evolve(RUNNING, status=CampaignStatus.FAILED, completed_at=NOW)
    [event] = moved.events
    assert isinstance(event, CampaignFailed)
    assert (event.cancelled, event.sequence) == (7, 42)
    assert all(field in event.reason for field in fields)


def test_all_that_keeps_a_campaign_from_calling_is_said_at_once() -> None:
    [event] = fail(RUNNING, counters=SOME_LEFT, account=Account(id=ACME.id), now=NOW).events
    assert isinstance(event, CampaignFailed)
    assert (
        event.reason == f"{WHY_FAILED}; phone_number_id is no number of this account: give the id of one of its numbers"
    )


def test_a_running_campaign_that_may_call_does_not_fail() -> None:
    assert fail(RUNNING, counters=SOME_LEFT, account=ACME, now=NOW) == Transition(RUNNING, ())


# Creation

SETTINGS = CampaignSettings(
    name="Spring",
    agent_id="anna",
    phone_number_id="office",
    max_concurrent_calls=5,
    retries_per_contact=2,
    retry_delay_seconds=300,
)


def created(settings: CampaignSettings, account: Account = ACME) -> Transition:
    return create(settings, campaign_id=DRAFT.id, account=account, total=10, created_by="key", now=NOW)


@pytest.mark.parametrize(
    ("scheduled_at", "status"), [(None, CampaignStatus.DRAFT), (NOW + DAY, CampaignStatus.SCHEDULED)]
)
def test_a_new_campaign_is_a_draft_or_scheduled(scheduled_at: datetime | None, status: CampaignStatus) -> None:
    settings = evolve(SETTINGS, scheduled_at=scheduled_at)
    moved = created(settings)
    assert moved.campaign == evolve(DRAFT, status=status, scheduled_at=scheduled_at, created_at=NOW)
    assert moved.events == (happened(CampaignCreated, sequence=1, settings=settings, total=10, created_by="key"),)
    assert folded(None, moved.events) == moved.campaign


@barred
def test_a_campaign_that_may_not_call_is_not_made(why: str) -> None:
    account, fields = BARRED[why]
    with pytest.raises(InvalidValue) as caught:
        created(SETTINGS, account)
    assert caught.value.code == "invalid_settings"
    assert [problem.field for problem in caught.value.problems] == fields


def test_a_creation_asks_for_no_budget() -> None:
    assert created(SETTINGS, allowing(0)).campaign.status == "draft"


# What is derived


@pytest.mark.parametrize(
    ("status", "is_over"),
    [
        ("draft", False),
        ("scheduled", False),
        ("running", False),
        ("paused", False),
        ("completed", True),
        ("failed", True),
    ],
)
def test_what_is_over_retries_nothing(status: str, is_over: bool) -> None:  # noqa: FBT001 - a column of the table
    campaign = CAMPAIGNS[status]
    deleted = evolve(campaign, is_deleted=True)
    assert (campaign.is_over, deleted.is_over) == (is_over, True)
    assert campaign.retry_policy == (None if is_over else RetryPolicy(delays_s=(300, 300)))
    assert deleted.retry_policy is None


def test_a_campaign_is_hashable_and_never_changes() -> None:
    assert {DRAFT: 1}[evolve(DRAFT)] == 1
    with pytest.raises(FrozenInstanceError):
        DRAFT.status = CampaignStatus.RUNNING  # type: ignore[misc] # that it can't be set is the point


def test_the_events_of_its_dials_leave_a_campaign_alone() -> None:
    event = happened(AttemptDoubted, attempt_id=AttemptId("spring.0.1"), position=0)
    assert apply(RUNNING, event) is RUNNING


def test_without_a_creation_there_is_no_campaign() -> None:
    assert apply(None, happened(CampaignStarted)) is None
