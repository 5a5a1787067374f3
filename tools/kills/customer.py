"""A customer of the server, who asks until there is an answer."""

import io
import random  # noqa: TID251 - chance is drawn from the seed
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from tools.kills.processes import KEY, Server
from tools.kills.verdict import CAMPAIGN_CAP, CONTACTS, RETRIES, RETRY_DELAY_S, Contact, Pause

from kataven_adapters.client import ConflictError, KatavenClient, KatavenError

T = TypeVar("T")

PATIENCE_S: Final = 120.0
"""How long everything may take to come to its end when nothing is killed any more."""


class Customer(threading.Thread):
    """Has one campaign after the other dialled, and changes its mind about some; asks until it is answered."""

    def __init__(self, name: str, server: Server, seed: int, enough: threading.Event, contacts: int = CONTACTS) -> None:
        super().__init__(name=name, daemon=True)
        self.campaigns: list[str] = []
        self.pauses: list[Pause] = []
        self.failure: BaseException | None = None
        self._server = server
        self._chance = random.Random(f"{seed}:{name}")  # noqa: S311 - it keeps no secret
        self._enough = enough
        self._contacts = contacts
        self._client = KatavenClient(KEY, server.url, timeout=10.0)

    def run(self) -> None:
        """Go on until it is enough, and see the last campaign through."""
        try:
            with self._client:
                while not self._enough.is_set():
                    self.see_through(len(self.campaigns))
        except BaseException as failure:  # noqa: BLE001 - whoever waits for this thread is to hear of it
            self.failure = failure

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def see_through(self, count: int) -> None:
        """Have one campaign dialled to its end."""
        label = f"{self.name}-{count}"
        first = self._chance.randrange(0, 3 * self._contacts)  # the customers' numbers overlap
        rows = "".join(f"+1415555{first + each:04d},{each}\n" for each in range(self._contacts))
        created = self._insist(
            lambda: self._client.campaigns.create(
                label,
                "agent",
                "office",
                io.BytesIO(f"phone_number,row\n{rows}".encode()),
                CAMPAIGN_CAP,
                RETRIES,
                RETRY_DELAY_S,
                idempotency_key=f"{label} create",
            )
        )
        name = str(created["id"])
        self.campaigns.append(name)
        self._insist(lambda: self._client.campaigns.start(name, idempotency_key=f"{label} start"))
        if self._chance.random() < 0.5:  # noqa: PLR2004 - every other one
            self._hold(name, label)
        self._wait(name)

    def _hold(self, name: str, label: str) -> None:
        """Pause and resume, or stop; keep the time in which nobody may have been dialled."""
        time.sleep(self._chance.uniform(0.0, 1.0))
        ends = self._chance.random() < 0.3  # noqa: PLR2004 - some
        ask = self._client.campaigns.stop if ends else self._client.campaigns.pause
        try:
            self._insist(lambda: ask(name, idempotency_key=f"{label} hold"))
        except ConflictError:  # it has come to its end already
            return
        since = now()
        if ends:
            self.pauses.append(Pause(name, since, datetime.max.replace(tzinfo=UTC)))
            return
        time.sleep(self._chance.uniform(0.1, 1.0))
        self.pauses.append(Pause(name, since, now()))
        self._insist(lambda: self._client.campaigns.resume(name, idempotency_key=f"{label} resume"))

    def _wait(self, name: str) -> None:
        while self._insist(lambda: self._client.campaigns.get(name))["status"] in {"running", "paused"}:
            time.sleep(0.1)

    def _insist(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer: the server is dead half of the time."""
        while True:
            try:
                return ask()
            except ConflictError:
                raise
            except KatavenError:
                time.sleep(0.02)


def now() -> datetime:
    """Read the clock that the phone network reads too."""
    return datetime.now(UTC)  # noqa: TID251 - a script


def contacts_of(client: KatavenClient, campaign_id: str) -> Iterator[Contact]:
    """Read all contacts of a campaign, page by page."""
    page, has_next = 0, True
    while has_next:
        shown: dict[str, Any] = client.campaigns.list_contacts(campaign_id, page=page)
        for each in shown["contacts"]:
            yield Contact(campaign_id, each["phone_number"], each["status"], each["attempts"])
        page, has_next = page + 1, shown["has_next"]


def until_idle(client: KatavenClient, campaigns: Sequence[str]) -> None:
    """Wait for the calls of campaigns that were stopped."""
    until = time.monotonic() + PATIENCE_S  # noqa: TID251 - a script
    while time.monotonic() < until:  # noqa: TID251 - the same
        if not any(client.campaigns.list_contacts(each, status="in_progress")["contacts"] for each in campaigns):
            return
        time.sleep(0.1)
