"""A whole session as somebody with code against the API has it: the client, and a server in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest

from kataven_adapters.client import ConflictError, KatavenClient, NotFoundError

KEY: Final = "sk_live_ac_me_0123456789"
CONFIG: Final = f"""
[server]
port = 0
[store]
url = "sqlite:///calls.db"
[line]
url = "simulated://?answer=1&ring_s=0.05&talk_s=0.4"
[[accounts]]
id = "ac_me"
concurrent_max = 10
[[accounts.api_keys]]
id = "ops"
sha256 = "{sha256(KEY.encode()).hexdigest()}"
[[accounts.agents]]
id = "reminder"
[[accounts.phone_numbers]]
id = "office"
e164 = "+12025550100"
"""
STATUSES: Final = ("pending", "in_progress", "completed", "failed", "cancelled", "suppressed")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[KatavenClient]:
    """Give a client of a server that runs."""
    (tmp_path / "kataven.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "kataven_adapters.cli", "serve", "--config", "kataven.toml"]
    with (tmp_path / "serve.log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout is not None
    with server, KatavenClient(KEY, server.stdout.readline().split()[-1]) as client:
        try:
            yield client
        finally:
            server.terminate()
    assert server.returncode == 0
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def a_file(count: int, first: int = 0, *, junk: int = 0) -> BytesIO:
    rows = [f'+1415555{index:04},"Contact, {index}"' for index in range(first, first + count)]
    return BytesIO("\r\n".join(["phone_number,name", *rows, *["junk,"] * junk, ""]).encode())


def create(client: KatavenClient, name: str, contacts: BytesIO, calls: int = 5) -> Any:
    return client.campaigns.create(name, "reminder", "office", contacts, max_concurrent_calls=calls)


def snapshot(client: KatavenClient, campaign_id: str) -> dict[str, Any]:
    """Give what a stream of events shows first."""
    stream = client.campaigns.stream_events(campaign_id)
    first = next(stream)
    stream.close()
    assert isinstance(first, dict)
    return first


def when_idle(client: KatavenClient, campaign_id: str) -> dict[str, Any]:
    """Wait until no call of the campaign is up."""
    while (shown := snapshot(client, campaign_id))["calls_in_flight"]:
        time.sleep(0.05)
    return shown


def test_from_a_file_to_the_end_of_the_stream(client: KatavenClient) -> None:
    campaign = create(client, "March", a_file(130, junk=2), calls=10)
    assert campaign["status"] == "draft"
    assert (campaign.accepted_rows, campaign.rejected_rows) == (130, 2)
    assert client.campaigns.start(campaign["id"])["status"] == "running"

    items = [*client.campaigns.stream_events(campaign["id"])]
    snapshots = [item for item in items if isinstance(item, dict)]
    assert items[-2] == "event: end"
    assert items[-1] == items[-3]
    assert snapshots[0]["status"] == "running"
    assert snapshots[-1]["status"] == "completed"
    assert [each["completed"] for each in snapshots] == sorted(each["completed"] for each in snapshots)
    assert {sum(each[status] for status in STATUSES) for each in snapshots} == {130}

    first = client.campaigns.list_contacts(campaign["id"], status="completed")
    second = client.campaigns.list_contacts(campaign["id"], status="completed", page=1)
    assert (first["total"], first["page_size"], first["has_next"], second["has_next"]) == (130, 100, True, False)
    shown = first["contacts"] + second["contacts"]
    assert [each["position"] for each in shown] == [*range(130)]
    assert shown[7]["custom_fields"] == {"name": "Contact, 7"}
    assert {each["last_outcome"] for each in shown} == {"answered"}
    assert client.campaigns.list_contacts(campaign["id"], status="pending")["contacts"] == []
    assert b"".join(client.rejects(campaign["id"])).count(b"\r\n") == 3

    assert [each["id"] for each in client.campaigns.list()["campaigns"]] == [campaign["id"]]
    client.campaigns.delete(campaign["id"])
    with pytest.raises(NotFoundError):
        client.campaigns.get(campaign["id"])
    assert client.campaigns.list() == {"campaigns": [], "count": 0}


def test_pause_resume_and_stop_with_calls_in_flight_that_finish(client: KatavenClient) -> None:
    campaign_id = create(client, "April", a_file(400))["id"]
    client.campaigns.start(campaign_id)
    while not snapshot(client, campaign_id)["completed"]:
        time.sleep(0.05)

    assert client.campaigns.pause(campaign_id)["status"] == "paused"
    dialled = snapshot(client, campaign_id)["attempts"]
    paused = when_idle(client, campaign_id)
    assert (paused["attempts"], paused["completed"], paused["status"]) == (dialled, dialled, "paused")

    assert client.campaigns.resume(campaign_id)["status"] == "running"
    with pytest.raises(ConflictError):
        client.campaigns.delete(campaign_id)
    while snapshot(client, campaign_id)["calls_in_flight"] < 5:
        time.sleep(0.05)
    assert client.campaigns.stop(campaign_id)["status"] == "completed"
    stopped = snapshot(client, campaign_id)
    assert stopped["calls_in_flight"] > 0
    assert stopped["cancelled"] == 400 - stopped["attempts"]
    ended = when_idle(client, campaign_id)
    assert ended["attempts"] == stopped["attempts"]
    assert ended["completed"] == ended["attempts"]
    assert ended["cancelled"] == stopped["cancelled"]
    client.campaigns.delete(campaign_id)


def test_a_start_over_the_budget_names_three_numbers(client: KatavenClient) -> None:
    client.campaigns.start(create(client, "May", a_file(300), calls=6)["id"])
    june = create(client, "June", a_file(3, first=500), calls=7)["id"]
    with pytest.raises(ConflictError) as refused:
        client.campaigns.start(june)
    assert refused.value.code == "budget_exhausted"
    assert "reserve 6 concurrent calls, this one wants 7, the account allows 10" in refused.value.message
    assert client.campaigns.get(june)["status"] == "draft"
    assert client.call_limits()["concurrent_max"] == 10
