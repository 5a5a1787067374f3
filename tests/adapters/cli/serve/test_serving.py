import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.listening import allow_many, bound, listening, url_of
from kataven_adapters.cli.serve.accounts import Accounts
from kataven_adapters.cli.serve.leaving import Leaving
from kataven_adapters.cli.serve.serving import Plan, Serving, loaded_left_alone
from kataven_adapters.config import AccountConfig, ApiKeyConfig, Config, LineConfig
from kataven_adapters.http import Caller, Request
from kataven_adapters.memory import MemoryStore
from kataven_adapters.simulated import simulated_line
from kataven_core import AccountId, AdapterFault, NotFound
from kataven_core.runtime import Engine, SystemClock

PATIENCE_S = 60


def configured(name: str, *keys: str, calls: int = 5) -> AccountConfig:
    hashes = tuple(ApiKeyConfig(id=key, sha256=sha256(key.encode()).hexdigest()) for key in keys)
    return AccountConfig(id=name, concurrent_max=calls, api_keys=hashes)


def write(*accounts: AccountConfig) -> None:
    """Write a configuration with these accounts."""
    lines = ["[line]", "ring_timeout_s = 5"]
    for account in accounts:
        lines += ["[[accounts]]", f'id = "{account.id}"', f"concurrent_max = {account.concurrent_max}"]
        for key in account.api_keys:
            lines += ["[[accounts.api_keys]]", f'id = "{key.id}"', f'sha256 = "{key.sha256}"']
    leave("\n".join(lines))


def leave(text: str | None) -> None:
    """Let the file hold this; None: let it be gone."""
    if text is None:
        Path("kataven.toml").unlink()
    else:
        Path("kataven.toml").write_text(text)


async def body() -> AsyncIterator[bytes]:
    yield b""


async def caller(accounts: Accounts, key: str) -> Caller | None:
    headers = {"authorization": f"Bearer {key}"}
    return await accounts.keys(Request(method="GET", path="/", headers=headers, body=body()))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def an_engine(accounts: Accounts) -> Engine:
    clock = SystemClock()
    return Engine(store=MemoryStore(), line=simulated_line("simulated://", clock), accounts=accounts.values)


# Accounts that are read again.


async def test_new_caps_and_keys_count_and_old_ones_do_not() -> None:
    accounts = Accounts([configured("acme", "old", "both")], "kataven.toml")
    write(configured("acme", "both", "new", calls=7), configured("globex", "theirs"))
    async with an_engine(accounts) as engine:
        await accounts.read_again(engine)
        assert (await engine.account("acme")).caps.concurrent_max == 7
        assert (await engine.account("globex")).caps.concurrent_max == 5
    assert await caller(accounts, "old") is None
    assert await caller(accounts, "both") == Caller(AccountId("acme"), "both")
    assert await caller(accounts, "new") == Caller(AccountId("acme"), "new")
    assert await caller(accounts, "theirs") == Caller(AccountId("globex"), "theirs")


async def test_an_account_that_is_gone_dials_nobody_and_comes_back_as_it_is_written() -> None:
    accounts = Accounts([configured("acme", "a"), configured("globex", "g")], "kataven.toml")
    async with an_engine(accounts) as engine:
        write(configured("acme", "a"))
        await accounts.read_again(engine)
        assert (await engine.account("globex")).caps.concurrent_max == 0
        assert await caller(accounts, "g") is None
        write(configured("acme", "a"), configured("globex", "g", calls=3))
        await accounts.read_again(engine)
        assert (await engine.account("globex")).caps.concurrent_max == 3
        assert await caller(accounts, "g") == Caller(AccountId("globex"), "g")


async def test_a_file_that_cannot_be_used_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    accounts = Accounts([configured("acme", "a")], "kataven.toml")
    async with an_engine(accounts) as engine:
        for text in ("[[accounts", "[[accounts]]\nid = 'Acme'\n", None):
            leave(text)
            caplog.clear()
            await accounts.read_again(engine)
            [sentence] = caplog.messages
            assert sentence.startswith("the accounts stay as they are: kataven.toml: ")
            assert "\n" not in sentence
        assert (await engine.account("acme")).caps.concurrent_max == 5
    assert await caller(accounts, "a")


async def test_warnings_of_the_file_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    accounts = Accounts([], "kataven.toml")
    write(configured("acme"))
    async with an_engine(accounts) as engine:
        await accounts.read_again(engine)
    assert any(message.startswith("line.ring_timeout_s is 5: ") for message in caplog.messages)


async def test_a_store_that_fails_revokes_keys_and_lets_the_next_time_finish(caplog: pytest.LogCaptureFixture) -> None:
    accounts = Accounts([configured("acme", "a"), configured("globex", "g")], "kataven.toml")
    write(configured("initech", "i"), configured("acme", "new"))
    closed = an_engine(accounts)
    await accounts.read_again(closed)
    assert "the accounts are half read: the engine is not open: " in caplog.messages[-1]
    assert await caller(accounts, "a") is None
    assert await caller(accounts, "g") is None
    assert await caller(accounts, "i") is None
    async with an_engine(Accounts([configured("globex")], None)) as engine:
        await accounts.read_again(engine)
        assert (await engine.account("globex")).caps.concurrent_max == 0
        assert (await engine.account("initech")).caps.concurrent_max == 5
    assert await caller(accounts, "i")


async def test_without_a_file_there_is_nothing_to_read(caplog: pytest.LogCaptureFixture) -> None:
    accounts = Accounts([configured("acme", "a")], None)
    async with an_engine(accounts) as engine:
        await accounts.read_again(engine)
        with pytest.raises(NotFound):
            await engine.account("globex")
    assert "there is no configuration to read again" in caplog.messages[-1]
    assert await caller(accounts, "a")


# Where it listens.


def test_an_address_is_written_as_browsers_write_it() -> None:
    assert url_of("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert url_of("::1", 80) == "http://[::1]:80"


def test_nobody_gets_in_before_it_listens() -> None:
    with bound("127.0.0.1", 0) as sockets, pytest.raises(ConnectionRefusedError):
        socket.create_connection(sockets[0].getsockname())


def test_a_name_with_several_addresses_has_one_port_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", 0)) for n in (1, 2, 1)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
    with bound("many", 0) as sockets:
        hosts, ports = zip(*(each.getsockname() for each in sockets), strict=True)
    assert hosts == ("127.0.0.1", "127.0.0.2")
    assert len(set(ports)) == 1


def test_an_address_that_is_not_there_is_let_be_where_another_is(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("192.0.2.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
    with bound("many", 0) as sockets:
        assert [each.getsockname()[0] for each in sockets] == ["127.0.0.1"]


def test_ports_are_given_back_where_one_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (1, 2)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
        with pytest.raises(CommandFailure, match="is in use"), bound("many", port):
            pass
    monkeypatch.undo()
    with bound("127.0.0.1", port) as sockets:
        assert len(sockets) == 1


def test_what_goes_wrong_later_is_not_blamed_on_the_port() -> None:
    with pytest.raises(OSError, match="disk"), bound("127.0.0.1", 0):
        raise OSError("disk")


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine speaks no IPv6")
async def test_the_sixth_version_has_brackets_in_its_address() -> None:
    with bound("::1", 0) as sockets:
        url = url_of("::1", sockets[0].getsockname()[1])
        async with listening(web.Application(), sockets), httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(url)).status_code == 404


@pytest.mark.parametrize(
    ("allowed", "wanted"),
    [
        ((1_024, 4_096), (4_096, 4_096)),
        ((1_024, 1_048_576), (65_536, 1_048_576)),
        ((1_024, resource.RLIM_INFINITY), (65_536, resource.RLIM_INFINITY)),
        ((100_000, 1_048_576), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_as_many_connections_are_taken_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, allowed: tuple[int, int], wanted: tuple[int, int] | None
) -> None:
    asked: list[tuple[int, int]] = []

    def refuse(_: int, limits: tuple[int, int]) -> None:
        asked.append(limits)
        raise ValueError("not allowed")

    monkeypatch.setattr(resource, "getrlimit", lambda _: allowed)
    monkeypatch.setattr(resource, "setrlimit", refuse)
    allow_many()
    assert asked == ([wanted] if wanted else [])


# The end.


async def test_told_once_it_winds_down() -> None:
    leaving = Leaving()
    with leaving.heard():
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        await leaving.wait()
    leaving.done()
    assert leaving.is_told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_before_it_is_up_it_does_not_begin(number: int) -> None:
    leaving = Leaving()

    async def begin() -> None:
        with leaving.heard():
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(begin())
    leaving.done()
    assert leaving.is_told


async def test_told_twice_it_stops_in_the_middle() -> None:
    leaving = Leaving()

    async def wind_down() -> None:
        with leaving.heard():
            os.kill(os.getpid(), signal.SIGTERM)
            await leaving.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(wind_down())
    leaving.done()


HANGS = """
import asyncio, os, signal, time
from kataven_adapters.cli.serve import leaving

async def main():
    told = leaving.Leaving()
    with told.heard():
        os.kill(os.getpid(), signal.SIGTERM)
        await told.wait()
        time.sleep(3600)

leaving._LIMIT_S = 0.1
asyncio.run(main())
"""


def test_a_loop_that_hangs_ends_all_the_same() -> None:
    assert subprocess.run([sys.executable, "-c", HANGS], check=False, timeout=PATIENCE_S).returncode == 0


# The whole of it.


def a_plan(*, config: Config | None = None, line_url: str = "simulated://", port: int = 0) -> Plan:
    known = config or Config(accounts=(configured("acme", "a"),))
    return Plan(config=known, store_url="memory://", line_url=line_url, host="127.0.0.1", port=port)


async def test_it_listens_until_somebody_says_to_stop() -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    serving = Serving(a_plan(), told.put_nowait)
    running = asyncio.create_task(serving.run())
    url = (await told.get()).removeprefix("listening on ")
    async with httpx.AsyncClient(trust_env=False, base_url=url, headers={"Authorization": "Bearer a"}) as client:
        assert (await client.get("/api/v1/campaigns")).json()["count"] == 0
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        with pytest.raises(httpx.ConnectError):
            await client.get("/api/v1/campaigns")
    serving.done()
    assert told.empty()


async def test_told_while_it_begins_it_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(_: Engine) -> Engine:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Engine, "__aenter__", slow)
    told: list[str] = []
    serving = Serving(a_plan(), told.append)
    await asyncio.create_task(serving.run())
    serving.done()
    assert told == []


async def test_what_cannot_be_opened_is_raised() -> None:
    with pytest.raises(AdapterFault, match="there is no line of the kind"):
        await Serving(a_plan(line_url="nonsense://"), print).run()


async def test_what_goes_wrong_at_the_end_is_logged_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(*_: object) -> None:
        raise AdapterFault("store_lost", "the disk is gone")

    told: asyncio.Queue[str] = asyncio.Queue()
    monkeypatch.setattr(MemoryStore, "__aexit__", failing)
    serving = Serving(a_plan(), told.put_nowait)
    running = asyncio.create_task(serving.run())
    await told.get()
    with caplog.at_level(logging.ERROR):
        os.kill(os.getpid(), signal.SIGTERM)
        await running
    serving.done()
    assert caplog.messages == ["stopped with something left undone: the disk is gone"]


async def test_the_engine_is_as_patient_as_the_configuration_says() -> None:
    config = LineConfig(reconcile_every_s=7, lost_after_s=18, ring_timeout_s=20, max_duration_s=100)
    line = simulated_line("simulated://", SystemClock())
    engine = Serving(a_plan(config=Config(line=config)), print)._engine(line)  # noqa: SLF001 - what it is made of
    settings = engine._settings  # noqa: SLF001 - the same
    assert (settings.reconcile_every_s, settings.lost_after_s, settings.longest_call_s) == (7, 18, 210)


def test_what_is_loaded_is_left_alone_while_it_serves() -> None:
    before = gc.get_freeze_count()
    with loaded_left_alone():
        assert gc.get_freeze_count() > 10_000
    assert gc.get_freeze_count() <= before
