"""An account: its live caps, its agents and its numbers; stored, and changed by a command like any other."""

from enum import StrEnum, unique
from typing import Final

from attrs import asdict, frozen

from .errors import InvalidValue, Problem
from .phone_number import PhoneNumber
from .values import AccountId

NO_LIMIT: Final = 2_147_483_647
"""An omitted cap, as it goes over the wire."""


@unique
class AgentStatus(StrEnum):
    """Whether a voice agent may take calls; only an ``ACTIVE`` one does."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


@frozen(kw_only=True)
class Agent:
    """A voice agent. ``route`` is what the line does with an answered call: a dialplan context, a URL, a SIP URI."""

    id: str
    name: str = ""
    status: AgentStatus = AgentStatus.ACTIVE
    route: str = ""


@frozen(kw_only=True)
class OutboundNumber:
    """A number of the account to call from."""

    id: str
    e164: PhoneNumber
    outbound_enabled: bool = True


@frozen(kw_only=True)
class Caps:
    """An account's four live caps; 0 blocks every dial, ``NO_LIMIT`` none. ``InvalidValue`` names each out of range.

    ``concurrent_max`` calls at once; ``calls_per_minute`` dials in a UTC minute; ``daily_calls_max`` dials and
    ``daily_minutes_max`` minutes of calls that ended, both in a UTC day.
    """

    concurrent_max: int = NO_LIMIT
    calls_per_minute: int = NO_LIMIT
    daily_calls_max: int = NO_LIMIT
    daily_minutes_max: int = NO_LIMIT

    def __attrs_post_init__(self) -> None:
        problems = [
            Problem(name, f"{name} is {value}: it must be from 0 to {NO_LIMIT}")
            for name, value in asdict(self).items()
            if not 0 <= value <= NO_LIMIT
        ]
        if problems:
            raise InvalidValue.of("invalid_cap", problems)


@frozen(kw_only=True)
class Account:
    """One tenant: what it may use and how much of it."""

    id: AccountId
    caps: Caps = Caps()
    agents: tuple[Agent, ...] = ()
    phone_numbers: tuple[OutboundNumber, ...] = ()

    def agent(self, agent_id: str) -> Agent | None:
        """Give the agent of this id, in whatever status."""
        return next((agent for agent in self.agents if agent.id == agent_id), None)

    def phone_number(self, phone_number_id: str) -> OutboundNumber | None:
        """Give the number of this id, enabled or not."""
        return next((number for number in self.phone_numbers if number.id == phone_number_id), None)

    def obstacles(self, agent_id: str, phone_number_id: str) -> tuple[Problem, ...]:
        """Say what keeps this agent and this number from calling; nothing when they may."""
        agent, number = self.agent(agent_id), self.phone_number(phone_number_id)
        problems: list[Problem] = []
        if agent is None:
            problems.append(Problem("agent_id", "agent_id is no agent of this account: name one of its active agents"))
        elif agent.status is not AgentStatus.ACTIVE:
            problems.append(Problem("agent_id", f"agent_id is an agent that is {agent.status}: activate it first"))
        if number is None:
            problems.append(
                Problem(
                    "phone_number_id", "phone_number_id is no number of this account: give the id of one of its numbers"
                )
            )
        elif not number.outbound_enabled:
            problems.append(
                Problem(
                    "phone_number_id", "phone_number_id is a number that may not call out: enable outbound calls for it"
                )
            )
        return tuple(problems)

    def callers(self, agent_id: str, phone_number_id: str) -> tuple[Agent, OutboundNumber]:
        """Give the agent and the number that are to call; ``InvalidValue`` when one of them is missing."""
        agent, number = self.agent(agent_id), self.phone_number(phone_number_id)
        if agent is None or number is None:
            raise InvalidValue.of("invalid_settings", self.obstacles(agent_id, phone_number_id))
        return agent, number
