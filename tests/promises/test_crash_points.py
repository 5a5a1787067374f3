"""The real server dies at each point between a claim and its outcome, once; the next one finds out about all calls."""

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.promises.dying import POINTS
from tools.kills.customer import PATIENCE_S, Customer, contacts_of
from tools.kills.processes import KEY, PHONES, Server, phone_network
from tools.kills.verdict import heard, held_in, judge

from kataven_adapters.client import KatavenClient

ROOT = Path(__file__).parents[2]
WORLD = {"answer": 0.6, "busy": 0.4, "ring_s": 0.2, "talk_s": 0.3, "slow_s": 0.2}
AT_ONCE = 5
CONTACTS = 12


def die_at(folder: Path, point: str) -> dict[str, Any]:
    """Let a server die there, and the next one finish; give how it died, and what is wrong then."""
    folder.mkdir()
    with phone_network(folder, WORLD) as url:
        server = Server(folder, url)
        server.start([sys.executable, str(ROOT / "tests" / "promises" / "dying.py"), point])
        customer = Customer("customer", server, 1, threading.Event(), CONTACTS)
        asking = threading.Thread(target=customer.see_through, args=[0], daemon=True)
        asking.start()
        died = server.wait(PATIENCE_S)
        server.start()
        asking.join(PATIENCE_S)
        with KatavenClient(KEY, server.url) as client:
            contacts = [each for name in customer.campaigns for each in contacts_of(client, name)]
        server.stop()
        customer.close()
    events = [*heard(folder / PHONES)]
    wrong = [*judge(events, contacts, customer.pauses, CONTACTS), *held_in(server.file)]
    return {"died": died, "wrong": wrong, "contacts": len(contacts), "waits": asking.is_alive()}


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Die everywhere; most of it is waiting, so that several do at once."""
    folder = tmp_path_factory.mktemp("deaths")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = {name: pool.submit(die_at, folder / str(n), name) for n, name in enumerate(POINTS)}
        return {name: each.result() for name, each in told.items()}


@pytest.mark.parametrize("point", POINTS)
def test_nobody_is_lost_or_rung_twice(deaths: dict[str, dict[str, Any]], point: str) -> None:
    assert deaths[point] == {"died": -signal.SIGKILL, "wrong": [], "contacts": CONTACTS, "waits": False}
