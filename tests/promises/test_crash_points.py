"""The real server dies at each point between a claim and its outcome, once; the next one finds out about all calls."""

import importlib.util
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.promises.dying import POINTS

ROOT = Path(__file__).parents[2]
WORLD = {"answer": 0.6, "busy": 0.4, "ring_s": 0.2, "talk_s": 0.3, "slow_s": 0.2}
AT_ONCE = 5


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kill_serve", ROOT / "tools" / "kill_serve.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__dict__["CONTACTS"] = 12
    return module


def die_at(tool: ModuleType, folder: Path, point: str) -> dict[str, Any]:
    """Let a server die there, and the next one finish; give how it died, and what is wrong then."""
    folder.mkdir()
    with tool.phone_network(folder, WORLD) as url:
        server = tool.Server(folder, url)
        server.start([sys.executable, str(ROOT / "tests" / "promises" / "dying.py"), point])
        customer = tool.Customer("customer", server, 1, threading.Event())
        asking = threading.Thread(target=customer.see_through, args=[0], daemon=True)
        asking.start()
        died = server.wait(tool.PATIENCE_S)
        server.start()
        asking.join(tool.PATIENCE_S)
        with tool.KatavenClient(tool.KEY, server.url) as client:
            contacts = [each for name in customer.campaigns for each in tool.contacts_of(client, name)]
        server.stop()
        customer.close()
    events = [*tool.heard(folder / tool.PHONES)]
    wrong = [*tool.judge(events, contacts, customer.pauses), *tool.held_in(server.file)]
    return {"died": died, "wrong": wrong, "contacts": len(contacts), "waits": asking.is_alive()}


@pytest.fixture(scope="module")
def deaths(tool: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Die everywhere; most of it is waiting, so that several do at once."""
    folder = tmp_path_factory.mktemp("deaths")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = {name: pool.submit(die_at, tool, folder / str(n), name) for n, name in enumerate(POINTS)}
        return {name: each.result() for name, each in told.items()}


@pytest.mark.parametrize("point", POINTS)
def test_nobody_is_lost_or_rung_twice(deaths: dict[str, dict[str, Any]], tool: ModuleType, point: str) -> None:
    assert deaths[point] == {"died": -signal.SIGKILL, "wrong": [], "contacts": tool.CONTACTS, "waits": False}
