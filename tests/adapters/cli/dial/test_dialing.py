"""The life of one file's campaign: interrupted, killed, taken up again, beside others."""

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest

from kataven_adapters.cli.dial import dialing, hearing
from kataven_adapters.cli.dial.dialing import ACCOUNT, Dialing
from kataven_adapters.cli.dial.interrupt import Interrupt
from kataven_adapters.cli.dial.plan import Plan
from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.config import LineConfig, ServerConfig
from kataven_adapters.registry import line_from_url, store_from_url
from kataven_core import (
    Account,
    AdapterFault,
    Agent,
    CampaignStatus,
    CsvOptions,
    Duplicates,
    OutboundNumber,
    PhoneNumber,
    account_id,
    campaign_settings,
)
from kataven_core.runtime import Engine, EngineSettings, SystemClock
from kataven_core.testing import StillClock

COMMAND = [sys.executable, "-m", "kataven_adapters.cli", "dial"]
ANSWERED = "simulated://?answer=1&log=phones.jsonl"
FAST = f"{ANSWERED}&ring_s=0&talk_s=0"
SLOW = f"{ANSWERED}&ring_s=0.01&talk_s=0.1"
TALKING = f"{ANSWERED}&ring_s=0&talk_s=1.5"
ENDLESS = f"{ANSWERED}&ring_s=0&talk_s=86400"
NUMBERS = [f"+1415555{n:04d}" for n in range(60)]
OTHERS = [f"+1415556{n:04d}" for n in range(20)]
PATIENCE_S = 120
BY = "kataven dial on simulated://"
CONTACTS = "\n".join(["phone_number", *NUMBERS, ""]).encode()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KATAVEN_CONFIG", raising=False)
    write("contacts.csv", NUMBERS)
    write("others.csv", OTHERS)
    return tmp_path


def write(name: str, numbers: list[str]) -> None:
    Path(name).write_text("\n".join(["phone_number", *numbers, ""]))


def heard() -> list[dict[str, str]]:
    log = Path("phones.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def rung() -> list[str]:
    return [event["to"] for event in heard() if event["event"] == "ring"]


def most_at_once(events: list[dict[str, str]]) -> int:
    up, most = set[str](), 0
    for event in events:
        (up.add if event["event"] == "ring" else up.discard)(event["attempt_id"])
        if event["event"] == "answer":
            up.add(event["attempt_id"])
        most = max(most, len(up))
    return most


def kataven(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, check=False, timeout=PATIENCE_S, text=True)


@contextmanager
def dialling(*words: str, until_rings: int) -> Iterator["subprocess.Popen[str]"]:
    """Dial in another process, from the moment that so many phones have rung; kill it if it is still there."""
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            while len(rung()) < until_rings:
                assert running.poll() is None, running.communicate()
                time.sleep(0.01)
            yield running
        finally:
            running.kill()


def kill_in_the_middle(*words: str, until_rings: int) -> None:
    with dialling(*words, until_rings=until_rings) as running:
        running.send_signal(signal.SIGKILL)
        running.wait(PATIENCE_S)


def rows(query: str, name: str = "kataven.db") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(name)) as connection:
        return connection.execute(query).fetchall()


def plan(line_url: str, **changes: object) -> Plan:
    values: dict[str, object] = {
        "file": "contacts.csv",
        "contacts": CONTACTS,
        "reading": CsvOptions(),
        "calls": 5,
        "retries": 0,
        "retry_delay_s": 300,
        "store_url": "sqlite:///kataven.db",
        "line_url": line_url,
        "is_simulated": True,
        "line": LineConfig(),
        "server": ServerConfig(),
        "results": None,
        "rejects": "rejects.csv",
        "is_again": False,
        "is_json": False,
    }
    return Plan(**(values | changes))  # type: ignore[arg-type] # they are given by their names


def interrupt(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


# Interrupted.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_dial_lets_calls_end_and_the_command_that_it_names_goes_on(number: signal.Signals) -> None:
    write("my list.csv", OTHERS)
    with dialling("my list.csv", "--max-concurrent", "10", "--line", TALKING, until_rings=10) as running:
        running.send_signal(number)
        out, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 1
    assert out.startswith("my list.csv: paused in ")
    assert "not known yet" not in out
    assert rows("SELECT status FROM campaigns") == [("paused",)]
    begun = len(rung())
    assert 10 <= begun < len(OTHERS)
    assert Counter(event["event"] for event in heard()) == {"ring": begun, "answer": begun, "end": begun}
    assert f"{begun:>13,}  answered" in out.splitlines()
    sentence = err.splitlines()[-1]
    begins = "kataven dial: interrupted; the same command goes on from here: "
    assert sentence.startswith(begins)
    words = shlex.split(sentence.removeprefix(begins))
    assert words == ["kataven", "dial", "my list.csv", "--max-concurrent", "10", "--line", TALKING]
    done = kataven(*words[2:])
    assert done.returncode == 0
    assert f"goes on where it stood: {begun} of 20 contacts done\n" in done.stderr
    assert sorted(rung()) == OTHERS


def test_json_is_printed_of_an_interrupted_dial_too() -> None:
    with dialling("contacts.csv", "--json", "--line", TALKING, until_rings=5) as running:
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 1
    result = json.loads(out)
    assert result["status"] == "paused"
    assert result["contacts"]["completed"] == result["attempts"] == len(rung())


async def test_calls_that_outlast_the_drain_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "_WIND_DOWN_S", 0.3)
    monkeypatch.setattr(dialing, "_LEAVE_S", 0.1)

    def show(_: object) -> None:
        if len(rung()) == 5:
            interrupt()

    result = await Dialing(plan(ENDLESS), show).run()
    assert result.is_interrupted
    assert not result.is_through
    assert result.record.campaign.status is CampaignStatus.PAUSED
    assert result.record.counters.calls_in_flight == 5


def test_a_drain_ends_within_ten_seconds() -> None:
    assert dialing._WIND_DOWN_S <= dialing._READ_S  # noqa: SLF001 - one after the other
    assert dialing._READ_S + dialing._LEAVE_S <= 9  # noqa: SLF001 - and a second to write what was read


def test_time_counts_from_the_first_interrupt() -> None:
    clock = StillClock()
    interrupted = Interrupt(clock)
    clock.wait(100)
    assert not interrupted.is_longer_ago_than(0)
    interrupted.come()
    clock.wait(5)
    interrupted.come()
    assert interrupted.is_longer_ago_than(5)
    assert not interrupted.is_longer_ago_than(5.1)


@pytest.mark.parametrize("what", ["rejects", "contacts"])
async def test_reading_who_was_in_the_file_ends_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    dial = Dialing(plan(TALKING, contacts=b"phone_number\n+14155550100\nnonsense\n", results="results.csv"), show)
    read = getattr(Engine, what)

    async def slowly(*words: object, **named: object) -> object:
        monkeypatch.setattr(dialing, "_READ_S", 0.0)
        return await read(*words, **named)

    monkeypatch.setattr(Engine, what, slowly)
    result = await dial.run()
    assert result.is_interrupted
    assert not result.is_whole
    assert result.contacts is None
    assert (result.rejected is None) is (what == "rejects")


def show(_: object) -> None:
    if rung():
        interrupt()


async def test_who_was_in_the_file_is_read_whole_while_there_is_time() -> None:
    contacts = b"phone_number\n" + b"".join(b"+1415555%04d\n" % n for n in range(150)) + b"nonsense\n" * 1_500
    result = await Dialing(plan(TALKING, contacts=contacts, results="results.csv"), show).run()
    assert result.is_whole
    assert result.contacts is not None
    assert result.rejected is not None
    assert (len(result.contacts), len(result.rejected)) == (150, 1_500)


async def test_an_engine_that_cannot_go_on_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = AdapterFault("store_taken", "the store was taken over")
    monkeypatch.setattr(Engine, "failure", property(lambda _: fault if rung() else None))
    with pytest.raises(AdapterFault) as caught:
        await Dialing(plan(ENDLESS), lambda _: None).run()
    assert caught.value is fault


async def test_an_import_that_is_interrupted_leaves_nothing_behind() -> None:
    contacts = b"phone_number\n" + b"".join(b"+1415%07d\n" % n for n in range(2_000_000, 2_050_000))
    with pytest.raises(CommandFailure, match="interrupted before anybody was dialled: nothing is kept"):
        await Dialing(plan(FAST, contacts=contacts), interrupt).run()
    assert rung() == []
    for table in ("campaigns", "contacts", "rejects", "uploads"):
        assert rows(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - names of our own


async def test_what_is_interrupted_between_import_and_start_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Engine.start

    async def interrupted(self: Engine, account_id: str, campaign_id: str) -> object:
        interrupt()
        return await start(self, account_id, campaign_id)

    monkeypatch.setattr(Engine, "start", interrupted)
    result = await Dialing(plan(FAST), lambda _: None).run()
    assert result.is_interrupted
    assert result.record.counters.total == 60
    monkeypatch.setattr(Engine, "start", start)
    assert (await Dialing(plan(FAST), lambda _: None).run()).is_through
    assert sorted(rung()) == NUMBERS


# Killed.


def test_after_kills_nobody_is_lost_and_no_attempt_rings_twice() -> None:
    words = ("contacts.csv", "--retries", "2", "--retry-delay", "0", "--results", "results.csv")
    for rings in (5, 10):
        kill_in_the_middle(*words, "--line", ENDLESS, until_rings=rings)
    assert kataven(*words, "--line", FAST).returncode == 0
    assert set(Counter(event["attempt_id"] for event in heard() if event["event"] == "ring").values()) == {1}
    assert set(rung()) == set(NUMBERS)
    lines = Path("results.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == NUMBERS
    assert all(line.split(",")[1] == "completed" for line in lines[1:])


def test_another_file_that_was_left_in_the_middle_does_not_go_on_until_it_is_dialled_again() -> None:
    words = ("contacts.csv", "--retries", "1", "--retry-delay", "0")
    kill_in_the_middle(*words, "--line", ENDLESS, until_rings=5)
    before = rung()
    done = kataven("others.csv", "--line", FAST)
    assert done.returncode == 0
    assert sorted(rung()[len(before) :]) == OTHERS
    assert kataven(*words, "--line", FAST).returncode == 0
    assert set(rung()) == {*NUMBERS, *OTHERS}
    assert set(rows("SELECT status FROM campaigns")) == {("completed",)}


# Taken up under other words.


def test_a_lower_cap_holds_from_the_moment_it_is_taken_up() -> None:
    kill_in_the_middle("contacts.csv", "--line", ENDLESS, "--max-concurrent", "12", until_rings=12)
    before = len(heard())
    done = kataven("contacts.csv", "--line", SLOW, "--max-concurrent", "2")
    assert done.returncode == 0
    assert most_at_once(heard()[before:]) == 2


async def test_a_draft_that_a_kill_left_between_import_and_start_is_dialled_under_the_cap_of_now() -> None:
    agent, caller = Agent(id="dial", name="kataven dial"), OutboundNumber(id="dial", e164=PhoneNumber("+12025550100"))
    settings = campaign_settings(
        now=SystemClock().now(), name="x", agent_id="dial", phone_number_id="dial", max_concurrent_calls=9
    )
    store, line = store_from_url("sqlite:///kataven.db"), line_from_url(FAST, SystemClock())
    async with Engine(store=store, line=line) as engine:
        await engine.put_account(Account(id=ACCOUNT, agents=(agent,), phone_numbers=(caller,)))
        name = f"{sha256(CONTACTS).hexdigest()[:32]}-0"
        await engine.create(ACCOUNT, settings, contacts=BytesIO(CONTACTS), campaign_id=name, created_by=BY)
    result = await Dialing(plan(SLOW, calls=2), lambda _: None).run()
    assert result.is_through
    assert result.record.campaign.id == name
    assert sorted(rung()) == NUMBERS
    assert most_at_once(heard()) == 2


async def test_a_file_whose_first_campaign_was_given_up_is_dialled_once_under_another_id() -> None:
    await begin()
    store, line = store_from_url("sqlite:///kataven.db"), line_from_url(FAST, SystemClock())
    async with Engine(store=store, line=line) as engine:
        (given_up,) = await engine.campaigns(ACCOUNT)
        await engine.delete(ACCOUNT, given_up.id)
    result = await Dialing(plan(FAST), lambda _: None).run()
    assert result.is_through
    assert result.record.campaign.id != given_up.id
    with pytest.raises(CommandFailure, match="was dialled to its end"):
        await Dialing(plan(FAST), lambda _: None).run()
    rings = [each["campaign_id"] for each in heard() if each["event"] == "ring"]
    assert rings.count(result.record.campaign.id) == len(NUMBERS)


def test_what_a_campaign_was_begun_with_stays_and_is_said() -> None:
    kill_in_the_middle("contacts.csv", "--line", ENDLESS, "--retries", "1", "--retry-delay", "0", until_rings=5)
    before = len(heard())
    done = kataven("contacts.csv", "--line", SLOW, "--max-concurrent", "50")
    assert done.returncode == 0
    settings = ("--max-concurrent stays 5", "--retries stays 1", "--retry-delay stays 0")
    assert "".join(f"; {each}, as it was begun" for each in settings) + "\n" in done.stderr
    assert most_at_once(heard()[before:]) <= 5


async def begin(**changes: object) -> None:
    """Begin to dial, and leave it in the middle."""
    assert (await Dialing(plan(TALKING, **changes), show).run()).is_interrupted


async def test_reading_options_of_now_change_no_row_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    await begin()
    assert "its rows stay" not in capsys.readouterr().err
    await Dialing(plan(FAST, reading=CsvOptions(duplicates=Duplicates.KEEP)), lambda _: None).run()
    assert " contacts done; its rows stay, as it was begun\n" in capsys.readouterr().err


async def test_what_was_begun_on_one_line_is_not_finished_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    await begin()
    before = rung()
    monkeypatch.setattr(hearing, "line_from_url", lambda _, clock, options: line_from_url(FAST, clock, options))
    with pytest.raises(CommandFailure) as caught:
        await Dialing(plan("acme://user:secret@phones"), lambda _: None).run()
    assert (caught.value.exit_code, caught.value.sentence) == (
        1,
        f"contacts.csv was begun by {BY}: finish it on that line, or begin it anew in another store, --store URL",
    )
    assert rung() == before
    assert (await Dialing(plan(FAST), lambda _: None).run()).is_through
    assert (await Dialing(plan("acme://user:secret@phones", is_again=True), lambda _: None).run()).is_through
    assert rows("SELECT DISTINCT created_by FROM campaigns ORDER BY no") == [(BY,), ("kataven dial on acme://phones",)]


# Beside others.


def test_a_store_that_another_dial_has_open_is_refused_with_its_process() -> None:
    with dialling("contacts.csv", "--line", ENDLESS, until_rings=1) as running:
        done = kataven("others.csv", "--line", FAST)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"kataven dial: the store kataven.db is in use by process {running.pid}: "
            "stop that first, or name another store\n"
        )


async def test_a_store_in_which_another_account_dials_is_refused_and_nothing_in_it_changes() -> None:
    store, line = store_from_url("sqlite:///kataven.db"), line_from_url(ENDLESS, SystemClock())
    agent, caller = Agent(id="a", name="A"), OutboundNumber(id="n", e164=PhoneNumber("+12025550101"))
    settings = campaign_settings(now=SystemClock().now(), name="x", agent_id="a", phone_number_id="n")
    async with Engine(store=store, line=line, settings=EngineSettings(drain_s=0.05)) as engine:
        await engine.put_account(Account(id=account_id("acme"), agents=(agent,), phone_numbers=(caller,)))
        campaign = await engine.create("acme", settings, contacts=BytesIO(CONTACTS))
        async with engine.events("acme", campaign.id) as events:
            await engine.start("acme", campaign.id)
            async for event in events:
                if type(event).__name__ == "AttemptAnswered":
                    break
    tables = ("accounts", "campaigns", "counters", "contacts", "attempts")
    before = [rows(f"SELECT * FROM {table}") for table in tables]  # noqa: S608 - names of our own
    assert len(before[-1]) == 5
    with pytest.raises(CommandFailure) as caught:
        await Dialing(plan(FAST), lambda _: None).run()
    assert caught.value.sentence == ("the store holds campaigns of acme that are under way: name another, --store URL")
    assert [rows(f"SELECT * FROM {table}") for table in tables] == before  # noqa: S608 - names of our own
    assert set(rung()) <= set(NUMBERS[:5])


async def test_memory_is_a_store_as_any_other() -> None:
    result = await Dialing(plan(FAST, store_url="memory://"), lambda _: None).run()
    assert result.is_through
    assert not result.is_interrupted
    assert sorted(rung()) == NUMBERS
