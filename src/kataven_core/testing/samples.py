"""The small values that the suites are made of: two accounts, rows, commands, reports. Time begins at noon, UTC."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from attrs import evolve

from kataven_core import (
    Account,
    AccountId,
    Agent,
    AgentStatus,
    AttemptId,
    Campaign,
    CampaignId,
    CampaignSettings,
    CampaignStatus,
    Caps,
    CreateCampaign,
    Ended,
    Once,
    Operate,
    Operation,
    Order,
    OutboundNumber,
    Outcome,
    PhoneNumber,
    PutAccount,
    RejectCode,
    RejectedRow,
)
from kataven_core.ports import StagedContact

Asked = TypeVar("Asked", CreateCampaign, Operate)

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""When a suite's story begins."""
ACME: Final = AccountId("acme")
GLOBEX: Final = AccountId("globex")
"""Another account, which is to see nothing of the first."""
AGENTS: Final = ("agent", "other")
"""The agents that an account of these suites has; its number has the id ``line``."""


def a_number(index: int) -> PhoneNumber:
    """Give a number, another one for each index from 0 to 9,999,999."""
    return PhoneNumber(f"+1415{index:07}")


def an_account(account_id: AccountId = ACME, *, paused: Iterable[str] = (), **caps: int) -> Account:
    """Give an account with two agents, those in ``paused`` paused, and one number."""
    agents = (
        Agent(
            id=name, name=name, status=AgentStatus.PAUSED if name in paused else AgentStatus.ACTIVE, route=f"to:{name}"
        )
        for name in AGENTS
    )
    numbers = (OutboundNumber(id="line", e164=PhoneNumber("+14155550100")),)
    return Account(id=account_id, caps=Caps(**caps), agents=tuple(agents), phone_numbers=numbers)


def put(account_id: AccountId = ACME, *, paused: Iterable[str] = (), **caps: int) -> PutAccount:
    """Give the command that puts ``an_account``."""
    return PutAccount(account=an_account(account_id, paused=paused, **caps))


def a_row(position: int, number: int | None = None, fields: Mapping[str, str] | None = None) -> StagedContact:
    """Give an accepted row: with the number of its position, or of another index."""
    written = json.dumps({"row": str(position)} if fields is None else dict(fields))
    return StagedContact(position, a_number(position if number is None else number), written)


def rows(count: int, *, first: int = 0) -> list[StagedContact]:
    """Give rows with numbers of their own, from position ``first`` on."""
    return [a_row(position) for position in range(first, first + count)]


def rows_with(numbers: Iterable[int]) -> list[StagedContact]:
    """Give one row for each number, from position 0 on."""
    return [a_row(position, number) for position, number in enumerate(numbers)]


def a_reject(line: int, value: str = "12") -> RejectedRow:
    """Give a row that was refused."""
    return RejectedRow(line, "phone_number", RejectCode.INVALID_NUMBER, f"{value!r} is no number", value)


def create(name: str, total: int, /, **settings: Any) -> CreateCampaign:
    """Give the command that makes a campaign of what was staged under its id."""
    chosen = CampaignSettings(**{"name": name, "agent_id": "agent", "phone_number_id": "line"} | settings)
    return CreateCampaign(campaign_id=CampaignId(name), settings=chosen, total=total, created_by="key")


def a_campaign(name: str = "a", **changes: Any) -> Campaign:
    """Give a draft that was made at noon, but for what is changed."""
    made = Campaign(
        account_id=ACME,
        id=CampaignId(name),
        name=name,
        agent_id="agent",
        phone_number_id="line",
        status=CampaignStatus.DRAFT,
        max_concurrent_calls=1,
        retries_per_contact=0,
        retry_delay_seconds=300,
        scheduled_at=None,
        created_at=NOON,
        created_by="key",
    )
    return evolve(made, **changes)


def operate(name: str, operation: str) -> Operate:
    """Give the command that does something to a campaign."""
    return Operate(campaign_id=CampaignId(name), operation=Operation(operation))


def once(command: Asked, key: str = "key", *, scope: str = "POST /a", fingerprint: str = "1", note: str = "") -> Asked:
    """Give a command that is to be done once."""
    return evolve(command, once=Once(scope=scope, key=key, fingerprint=fingerprint, note=note))


def ended(
    attempt_id: str, outcome: Outcome = Outcome.ANSWERED, *, at: datetime = NOON, duration_s: float = 0.0
) -> Ended:
    """Give the report that a call is over."""
    return Ended(attempt_id=AttemptId(attempt_id), at=at, outcome=outcome, duration_s=duration_s)


def an_order(index: int, *, account_id: AccountId = ACME, campaign_id: str = "a") -> Order:
    """Give a call to place, another one for each index."""
    return Order(
        attempt_id=AttemptId(f"{campaign_id}.{index}.1"),
        account_id=account_id,
        campaign_id=CampaignId(campaign_id),
        to=a_number(index),
        caller=PhoneNumber("+14155550100"),
        agent_id="agent",
        route="to:agent",
        variables={"row": str(index)},
    )
