"""Kill ``kataven serve`` again and again while it dials, and hold what phones heard against the two promises.

    python tools/kill_serve.py --kills 200 --seed 1
    python tools/kill_serve.py --kills 0 --seconds 600

A phone network in a process of its own is the truth: it writes down, synced, what every phone hears, and on its way
reports get lost, repeated, late and out of order, calls are answered 429, 500 or never. Two customers upload files,
start, pause, resume and stop their campaigns over HTTP all the while, each request under a key of its own until it is
answered. The server, on a SQLite file, is killed with SIGKILL at moments drawn from the seed and started again. When
all kills are done, and so many seconds without any, everything must come to its end; then each sentence of ``judge`` is
held against the log, the API and the file. Ends 1 and says which one does not hold. Of the quiet seconds it tells how
much memory and how many files the server held at their beginning, when it was warm, and at their end.
"""

import argparse
import asyncio
import io
import json
import os
import random  # noqa: TID251 - chance is drawn from the seed
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from kataven_adapters.client import ConflictError, KatavenClient, KatavenError
from kataven_adapters.sqlite import SqliteStore
from kataven_core import AccountId, CampaignId

T = TypeVar("T")

KATAVEN: Final = (sys.executable, "-m", "kataven_adapters.cli")
KEY: Final = "sk_live_acme_0123456789abcdef"
SECRET: Final = "whsec_" + "a2F0YXZlbi1waG9uZXMtaGVhci1ldmVyeXRoaW5n"
PHONES: Final = "phones.jsonl"
CAMPAIGN_CAP: Final = 50
RETRIES: Final = 2
RETRY_DELAY_S: Final = 1
CONTACTS: Final = 150
PATIENCE_S: Final = 120.0
"""How long everything may take to come to its end when nothing is killed any more."""
WORLD: Final = {"answer": 0.5, "busy": 0.2, "no_answer": 0.2, "failed": 0.1, "ring_s": 0.1, "talk_s": 0.2}
FAULTS: Final = {
    "lose": 0.05,
    "repeat": 0.1,
    "reorder": 0.1,
    "refuse": 0.005,
    "fail": 0.01,
    "never": 0.003,
    "fail_look_up": 0.02,
    "delay_s": 0.05,
    "slow_s": 0.02,
}


class Pause(NamedTuple):
    """A time in which nobody of a campaign may be dialled: from an answer until something else was asked for."""

    campaign_id: str
    since: datetime
    until: datetime


class Server:
    """The real server, as a process that dies and is started again on the same file and the same port."""

    def __init__(self, folder: Path, network_url: str) -> None:
        self.file = folder / "kataven.db"
        self.url = ""
        self.restarts_s: list[float] = []
        self._config = folder / "kataven.toml"
        self._log = folder / "serve.log"
        self._network_url = network_url
        self._process: subprocess.Popen[str] | None = None

    def start(self, words: Sequence[str] = KATAVEN) -> None:
        """Start it, by this command, and wait until it listens."""
        port = self.url.rpartition(":")[2] or "0"
        self._config.write_text(config(self.file, self._network_url, int(port)))
        began = time.monotonic()  # noqa: TID251 - it is measured
        with self._log.open("a") as log:
            words = [*words, "serve", "--config", str(self._config)]
            self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = ready(self._process, "the server", self._log)
        self.restarts_s.append(time.monotonic() - began)  # noqa: TID251 - the same

    @property
    def memory_mb(self) -> float:
        """The memory that it holds."""
        assert self._process is not None  # noqa: S101 - it was started
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    @property
    def open_files(self) -> int:
        """The files, connections among them, that it holds open."""
        assert self._process is not None  # noqa: S101 - it was started
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def kill(self) -> None:
        """Let it die at once."""
        assert self._process is not None  # noqa: S101 - it was started
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def wait(self, seconds: float) -> int:
        """Wait until it has died by itself; give how."""
        assert self._process is not None  # noqa: S101 - it was started
        self._process.communicate(timeout=seconds)
        return self._process.returncode

    def stop(self) -> None:
        """Let it end as it should."""
        assert self._process is not None  # noqa: S101 - it was started
        self._process.terminate()
        self._process.communicate()


def config(file: Path, network_url: str, port: int) -> str:
    """Write the configuration: one account, a line that is asked often."""
    return f"""
[server]
port = {port}
retry_delay_min_s = 0
[store]
url = "sqlite:///{file}"
[line]
url = "{network_url}"
secret = "{SECRET}"
reconcile_every_s = 1
lost_after_s = 600
[[accounts]]
id = "acme"
concurrent_max = {2 * CAMPAIGN_CAP}
[[accounts.api_keys]]
id = "ops"
sha256 = "{sha256(KEY.encode()).hexdigest()}"
[[accounts.agents]]
id = "agent"
status = "active"
[[accounts.phone_numbers]]
id = "office"
e164 = "+12025550100"
outbound_enabled = true
"""


def ready(process: subprocess.Popen[str], name: str, log: Path) -> str:
    """Read what a process says until it listens; give its address."""
    for line in process.stdout or ():
        if line.startswith("listening on "):
            return line.split()[-1]
    sys.exit(f"{name} did not start: {log.read_text()[-2_000:]}")


class Customer(threading.Thread):
    """Has one campaign after the other dialled, and changes its mind about some; asks until it is answered."""

    def __init__(self, name: str, server: Server, seed: int, enough: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.campaigns: list[str] = []
        self.pauses: list[Pause] = []
        self.failure: BaseException | None = None
        self._server = server
        self._chance = random.Random(f"{seed}:{name}")  # noqa: S311 - it keeps no secret
        self._enough = enough
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
        first = self._chance.randrange(0, 3 * CONTACTS)  # the customers' numbers overlap
        rows = "".join(f"+1415555{first + each:04d},{each}\n" for each in range(CONTACTS))
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


# The verdict.


class Contact(NamedTuple):
    """What the API says of a contact in the end."""

    campaign_id: str
    number: str
    status: str
    attempts: int


def judge(events: Iterable[dict[str, str]], contacts: Sequence[Contact], pauses: Sequence[Pause]) -> Iterator[str]:
    """Say which promise does not hold, in the order in which phones heard it."""
    rings: Counter[str] = Counter()
    dials: Counter[tuple[str, str]] = Counter()
    answered: set[tuple[str, str]] = set()
    ended_at: dict[tuple[str, str], datetime] = {}
    live: dict[str, dict[str, str]] = {}
    for event in events:
        attempt, contact = event["attempt_id"], (event["campaign_id"], event["to"])
        at = datetime.fromisoformat(event["at"])
        if event["event"] == "ring":
            rings[attempt] += 1
            dials[contact] += 1
            yield from _judge_ring(event, live.values(), at, ended_at.get(contact), pauses)
            live[attempt] = event
        elif event["event"] == "answer":
            answered.add(contact)
        else:
            live.pop(attempt, None)
            ended_at[contact] = at
    yield from (f"I2: {attempt} rang {count} times" for attempt, count in rings.items() if count > 1)
    yield from (f"I7: {attempt} never ended" for attempt in live)
    yield from _judge_contacts(contacts, dials, answered)


def _judge_ring(
    ring: dict[str, str],
    live: Iterable[dict[str, str]],
    at: datetime,
    ended_at: datetime | None,
    pauses: Sequence[Pause],
) -> Iterator[str]:
    others, attempt = list(live), ring["attempt_id"]
    if any(each["to"] == ring["to"] for each in others):
        yield f"I3: {attempt} rings a number that is in a call"
    if sum(each["campaign_id"] == ring["campaign_id"] for each in others) >= CAMPAIGN_CAP:
        yield f"I1: {attempt} is one more than its campaign's {CAMPAIGN_CAP}"
    if len(others) >= 2 * CAMPAIGN_CAP:
        yield f"I1: {attempt} is one more than the account's {2 * CAMPAIGN_CAP}"
    if ended_at and at < ended_at + timedelta(seconds=RETRY_DELAY_S, milliseconds=-1):
        yield f"I5: {attempt} rings {(at - ended_at).total_seconds()} s after the last call's end"
    for pause in pauses:
        if pause.campaign_id == ring["campaign_id"] and pause.since < at < pause.until:
            yield f"I4: {attempt} rings at {at}, and its campaign was held since {pause.since}"


def _judge_contacts(
    contacts: Sequence[Contact], dials: Counter[tuple[str, str]], answered: set[tuple[str, str]]
) -> Iterator[str]:
    for contact in contacts:
        name = contact.campaign_id, contact.number
        if contact.status not in {"completed", "failed", "cancelled"}:
            yield f"lost: a contact of {contact.campaign_id} is {contact.status} in the end"
        if (contact.status == "completed") != (name in answered):
            yield f"lost: a contact of {contact.campaign_id} is {contact.status}, answered: {name in answered}"
        if contact.attempts != dials[name]:
            yield f"I8: {dials[name]} calls of a contact of {contact.campaign_id}, and {contact.attempts} are known"
        if dials[name] > 1 + RETRIES:
            yield f"I3: a contact of {contact.campaign_id} was dialled {dials[name]} times"
    for campaign_id, count in Counter(each.campaign_id for each in contacts).items():
        if count != CONTACTS:
            yield f"I6: {count} contacts of {campaign_id}, of {CONTACTS} that were accepted"
    if strangers := dials.keys() - {(each.campaign_id, each.number) for each in contacts}:
        yield f"I11: {len(strangers)} dialled who are in no campaign"


def held_in(file: Path) -> Iterator[str]:
    """Look into the file when all is over: nothing is held, and every counter is what the attempts come to."""
    yield from integrity(file)

    async def look() -> list[str]:
        async with SqliteStore(file) as store:
            wrong = [f"I7: {each.id} is open in the end" for each in (await store.agenda()).open_attempts]
            for campaign in await store.campaigns(AccountId("acme")):
                counters = (await store.campaign(AccountId("acme"), CampaignId(campaign.id))).counters
                outcomes = sum(count for outcome, count in counters.outcomes.items() if outcome != "unsent")
                if counters.attempts != outcomes or counters.calls_in_flight:
                    wrong.append(f"I8: {campaign.id} counts {counters.attempts} attempts and {outcomes} outcomes")
            return wrong

    yield from asyncio.run(look())


def integrity(file: Path) -> Iterator[str]:
    """Have SQLite look at its file."""
    with closing(sqlite3.connect(file)) as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    if said != "ok":
        yield f"the file is damaged: {said}"


# The run.


def heard(log: Path) -> Iterator[dict[str, str]]:
    """Give what phones heard."""
    with log.open() as lines:
        yield from map(json.loads, lines)


def contacts_of(client: KatavenClient, campaign_id: str) -> Iterator[Contact]:
    """Read all contacts of a campaign, page by page."""
    page, has_next = 0, True
    while has_next:
        shown: dict[str, Any] = client.campaigns.list_contacts(campaign_id, page=page)
        for each in shown["contacts"]:
            yield Contact(campaign_id, each["phone_number"], each["status"], each["attempts"])
        page, has_next = page + 1, shown["has_next"]


def torture(folder: Path, kills: int, seconds: float, seed: int) -> dict[str, Any]:
    """Kill so often, then leave it alone for so long; give the figures, and what is ``wrong``."""
    chance = random.Random(seed)  # noqa: S311 - it keeps no secret
    wrong: list[str] = []
    with ExitStack() as ending:
        server = Server(folder, ending.enter_context(phone_network(folder, {**WORLD, **FAULTS, "seed": seed})))
        server.start()
        ending.callback(server.stop)
        enough = threading.Event()
        customers = [Customer(name, server, seed, enough) for name in ("left", "right")]
        for each in customers:
            each.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.0, 0.8))
            server.kill()
            wrong += integrity(server.file)
            server.start()
        quiet = leave_alone(server, seconds)
        enough.set()
        for each in customers:
            each.join(PATIENCE_S)
        wrong += [f"I12: {each.name} still waits after {PATIENCE_S:g} s" for each in customers if each.is_alive()]
        wrong += [f"{each.name} could not go on: {each.failure!r}" for each in customers if each.failure]
        with KatavenClient(KEY, server.url) as client:
            until_idle(client, [each for customer in customers for each in customer.campaigns])
            known = [each["id"] for each in client.campaigns.list()["campaigns"]]
            made = [each for customer in customers for each in customer.campaigns]
            if sorted(known) != sorted(made):
                wrong.append(f"{len(known)} campaigns, of {len(made)} that were created")
            contacts = [each for name in made for each in contacts_of(client, name)]
    events = list(heard(folder / PHONES))
    wrong += judge(events, contacts, [each for customer in customers for each in customer.pauses])
    wrong += held_in(server.file)
    return {
        "seed": seed,
        "kills": kills,
        "campaigns": len(made),
        "contacts": len(contacts),
        "rings": sum(event["event"] == "ring" for event in events),
        "most_at_once": most_at_once(events),
        "longest_start_s": round(max(server.restarts_s), 3),
        **quiet,
        "wrong": wrong,
    }


def leave_alone(server: Server, seconds: float) -> dict[str, Any]:
    """Let it work; give what it held when it was warm, after a quarter of the time, and what in the end."""
    if not seconds:
        return {}
    time.sleep(seconds / 4)
    warm = {"memory_mb_warm": server.memory_mb, "open_files_warm": server.open_files}
    time.sleep(seconds * 3 / 4)
    return {"quiet_s": seconds, **warm, "memory_mb_end": server.memory_mb, "open_files_end": server.open_files}


@contextmanager
def phone_network(folder: Path, world: Mapping[str, float]) -> Iterator[str]:
    """Run a phone network that writes its log into this folder; give its address."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in world.items()]
    with (folder / "network.log").open("w") as errors:
        network = subprocess.Popen(
            [*KATAVEN, "phone-network", "--port=0", f"--log={folder / PHONES}", f"--secret={SECRET}", *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield ready(network, "the phone network", folder / "network.log")
        finally:
            network.terminate()
            network.communicate()


def until_idle(client: KatavenClient, campaigns: Sequence[str]) -> None:
    """Wait for the calls of campaigns that were stopped."""
    until = time.monotonic() + PATIENCE_S  # noqa: TID251 - a script
    while time.monotonic() < until:  # noqa: TID251 - the same
        if not any(client.campaigns.list_contacts(each, status="in_progress")["contacts"] for each in campaigns):
            return
        time.sleep(0.1)


def most_at_once(events: Iterable[dict[str, str]]) -> dict[str, int]:
    """Give how many calls there were at once, of a campaign at most and of the account at most."""
    up: dict[str, set[str]] = defaultdict(set)
    most = {"campaign": 0, "account": 0}
    for event in events:
        calls = up[event["campaign_id"]]
        (calls.add if event["event"] != "end" else calls.discard)(event["attempt_id"])
        most["campaign"] = max(most["campaign"], len(calls))
        most["account"] = max(most["account"], sum(map(len, up.values())))
    return most


def main() -> int:
    """Read the words, torture, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long to leave it alone after the last kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="leave logs and file there")
    words = parser.parse_args()
    with ExitStack() as ending:
        folder = words.keep or Path(ending.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        told = torture(folder, words.kills, words.seconds, words.seed)
    if words.json:
        print(json.dumps(told))
    else:
        print(*(f"{name:18} {value}" for name, value in told.items() if name != "wrong"), sep="\n")
        print(*told["wrong"][:20], sep="\n")
        print("nobody lost, nobody rung twice, no cap passed" if not told["wrong"] else f"{len(told['wrong'])} wrong")
    return 1 if told["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
