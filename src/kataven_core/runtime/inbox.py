"""Everything that waits for the next cycle, by account: reports, commands, campaigns to look at."""

import asyncio
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final, NamedTuple

from attrs import Factory, define

from kataven_core.account import Account
from kataven_core.campaign import Campaign
from kataven_core.cycle import Command
from kataven_core.errors import KatavenError
from kataven_core.reports import ENDING, Report
from kataven_core.values import AccountId, CampaignId

Answer = asyncio.Future[Campaign | Account]

RIDE_S: Final = 0.02
"""How long a report that frees no slot may wait for the next cycle, in seconds."""


class Asked(NamedTuple):
    """A command, and whoever waits for what became of it."""

    command: Command
    answer: Answer


@define
class Waiting:
    """What has come in for one account."""

    account_id: AccountId
    reports: list[Report] = Factory(list)
    asked: list[Asked] = Factory(list)
    campaigns: set[CampaignId] = Factory(set)

    def take_apart(self) -> list["Waiting"]:
        """Give each report, each command, each campaign alone, in the order in which they count; leave nothing here."""
        parts = [
            *(Waiting(self.account_id, reports=[report]) for report in self.reports),
            *(Waiting(self.account_id, asked=[each]) for each in self.asked),
            *(Waiting(self.account_id, campaigns={name}) for name in sorted(self.campaigns)),
        ]
        self.clear()
        return parts

    def take_back(self, parts: Iterable["Waiting"]) -> None:
        """Hold what was taken apart again."""
        for part in parts:
            self.reports += part.reports
            self.asked += part.asked
            self.campaigns |= part.campaigns

    def clear(self) -> None:
        """Hold nothing any more."""
        self.reports.clear()
        self.asked.clear()
        self.campaigns.clear()

    def named(self) -> str:
        """Say what it is, without a phone number."""
        reports = [f"{type(report).__name__} of {report.attempt_id}" for report in self.reports]
        asked = [type(each.command).__name__ for each in self.asked]
        return ", ".join([*reports, *asked, *sorted(self.campaigns)]) + f" in account {self.account_id}"


class Batch(NamedTuple):
    """All that waited. ``durable`` is to be told when the reports in it are committed."""

    waiting: list[Waiting]
    durable: "asyncio.Future[None]"


class Durable:
    """Awaited, it is done when what it stands for is committed. Many may wait, and giving up disturbs nobody else."""

    __slots__ = ("_committed",)

    def __init__(self, committed: "asyncio.Future[None]") -> None:
        self._committed = committed

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.shield(self._committed).__await__()


class Inbox:
    """Takes at any time; gives all at once.

    What may change who is dialled is given as soon as it is asked for. A report that frees no slot waits for company,
    but not longer than ``RIDE_S``: a commit of its own would only hold up the next one, which dials.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ride: asyncio.TimerHandle | None = None
        self._waiting: dict[AccountId, Waiting] = {}
        self._durable: asyncio.Future[None] = self._loop.create_future()
        self._arrived = asyncio.Event()
        self._refusal: KatavenError | None = None
        self._is_closed = False

    def report(self, account_id: AccountId, reports: Iterable[Report]) -> None:
        """Take facts."""
        waiting = self._of(account_id).reports
        count = len(waiting)
        waiting.extend(reports)
        if any(isinstance(report, ENDING) for report in waiting[count:]):
            self._arrived.set()
        elif self._ride is None:
            self._ride = self._loop.call_later(RIDE_S, self._arrived.set)

    def ask(self, account_id: AccountId, command: Command) -> Answer:
        """Take a request."""
        answer: Answer = self._loop.create_future()
        if self._refusal:
            answer.set_exception(self._refusal)
        else:
            self._of(account_id).asked.append(Asked(command, answer))
            self._arrived.set()
        return answer

    def look(self, account_id: AccountId, campaigns: Iterable[CampaignId]) -> None:
        """Have campaigns looked at in the next cycle."""
        self._of(account_id).campaigns.update(campaigns)
        self._arrived.set()

    def put_back(self, batch: Batch) -> None:
        """Take what could not be settled once more, before what has come since."""
        for before in batch.waiting:
            now = self._of(before.account_id)
            now.reports[:0] = before.reports
            now.asked[:0] = before.asked
            now.campaigns |= before.campaigns
        self._arrived.set()
        self._durable.add_done_callback(lambda done: settle(batch.durable, done.exception()))

    @property
    def durable(self) -> "Durable":
        """What is done when all that waits now is committed."""
        return Durable(self._durable)

    async def take(self) -> Batch | None:
        """Wait until something is there and take all of it; None when nothing will come any more."""
        await self._arrived.wait()
        if not self._waiting:
            return None
        if self._ride:
            self._ride.cancel()
            self._ride = None
        if not self._is_closed:
            self._arrived.clear()
        batch = Batch([*self._waiting.values()], self._durable)
        self._waiting, self._durable = {}, self._loop.create_future()
        return batch

    def refuse(self, refusal: KatavenError) -> None:
        """Answer every further request with this; facts are still taken."""
        self._refusal = refusal

    def close(self) -> None:
        """Let ``take`` end when it has given all that waits."""
        self._is_closed = True
        self._arrived.set()

    def abandon(self, refusal: KatavenError) -> None:
        """Answer everybody who still waits: nobody will take what they asked for."""
        self.refuse(refusal)
        for waiting in self._waiting.values():
            answer_all(waiting.asked, refusal)
        settle(self._durable, refusal)

    def _of(self, account_id: AccountId) -> Waiting:
        waiting = self._waiting.get(account_id)
        if waiting is None:
            waiting = self._waiting[account_id] = Waiting(account_id)
        return waiting


def settle(waiting: "asyncio.Future[None]", fault: BaseException | None) -> None:
    """Let a future be done, or fail without a complaint when nobody listens."""
    if waiting.done():
        return
    if fault is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(fault)
        waiting.exception()


def answer_all(asked: Sequence[Asked], answer: Campaign | Account | Exception) -> None:
    """Give everybody who still waits the same answer."""
    for each in asked:
        give(each.answer, answer)


def give(waiting: Answer, answer: Campaign | Account | Exception) -> None:
    """Answer whoever waits, unless they have gone."""
    if waiting.done():
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
