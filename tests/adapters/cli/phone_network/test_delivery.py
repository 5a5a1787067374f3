import asyncio
import socket

import pytest

from kataven_adapters.cli.phone_network import delivery

from .conftest import Receiver, Run, receiving, until

WHOLE = ["ringing", "answered", "ended"]


async def test_reports_wait_until_the_receiver_is_back(run: Run) -> None:
    with socket.socket() as held:  # nobody else gets the port while nobody listens
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    network, found = await run(), Receiver()
    url = f"http://127.0.0.1:{port}/reports"
    attempts = [f"march.{number}.1" for number in range(20)]
    await asyncio.gather(*(network.place(attempt, report_url=url) for attempt in attempts))
    await network.until_settled_calls()
    assert (await network.counters())["reports_waiting"] == 60
    for times in (1, 2):
        async with receiving(found, port):
            await network.until_settled()
            assert all(found.types(attempt) == WHOLE for attempt in attempts[: 20 * times])
        if times == 1:
            attempts += ["march.20.1"]
            await network.place("march.20.1", report_url=url)
    assert network.complaints == []
    assert (await network.counters())["reports_delivered"] == len(found.reports) == 63


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "is the secret the receiver's? "), (500, ""), (200, ""), (302, ""), (413, "")]
)
async def test_what_is_not_taken_is_sent_again_and_said_once(
    run: Run, receiver: Receiver, status: int, hint: str
) -> None:
    network = await run()
    receiver.status = status
    await network.place(report_url=receiver.url)
    await until(lambda: len(receiver.bodies) >= 3)
    receiver.status = 204
    await network.until_settled()
    assert receiver.types() == WHOLE
    assert len(receiver.asked) > 3
    sentence = (
        f"reports to {receiver.url} are answered {status}, not 204: {hint}they are sent again until they are taken"
    )
    assert network.complaints == [sentence]


async def test_the_same_message_has_the_same_id_however_often_it_is_sent(run: Run, receiver: Receiver) -> None:
    network = await run(signing_key=b"0123456789abcdefghijklmn")
    receiver.status = 500
    await network.place(report_url=receiver.url)
    await until(lambda: len(receiver.bodies) >= 2)
    receiver.status = 204
    await network.until_settled()
    sent = {(each.headers["webhook-id"], body) for each, body in zip(receiver.asked, receiver.bodies, strict=True)}
    ids = {name for name, _ in sent}
    assert len(ids) == len(sent) < len(receiver.bodies)


async def test_one_connection_brings_many_reports_in_few_requests(
    run: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_BATCH", 40)
    network = await run()
    receiver.status = 500
    await asyncio.gather(*(network.place(f"march.{number}.1", report_url=receiver.url) for number in range(60)))
    await network.until_settled_calls()
    receiver.status = 204
    await network.until_settled()
    assert len(receiver.reports) == 180
    taken = [body for body, status in zip(receiver.bodies, receiver.statuses, strict=True) if status == 204]
    assert 5 <= len(taken) <= 20
    assert len(receiver.connections) == 1


async def test_receivers_do_not_wait_for_one_another(run: Run, receiver: Receiver) -> None:
    network = await run()
    await network.place("march.0.1")  # nobody takes its reports
    await network.place("march.1.1", report_url=receiver.url)
    await until(lambda: receiver.types("march.1.1") == WHOLE)
    assert (await network.counters())["reports_waiting"] == 3


async def test_a_receiver_that_can_not_be_one_is_tried_like_one_that_is_dead(run: Run, receiver: Receiver) -> None:
    network = await run()
    await network.place("march.0.1", report_url=f"http://{'a' * 64}.ä/reports")
    await network.place("march.1.1", report_url=receiver.url)
    await until(lambda: receiver.types("march.1.1") == WHOLE)
    assert (await network.counters())["reports_waiting"] == 3


async def test_reports_that_nobody_takes_for_too_long_are_dropped(
    run: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_MAX_WAITING", 5)
    network = await run()
    receiver.status = 500
    await asyncio.gather(*(network.place(f"march.{number}.1", report_url=receiver.url) for number in range(4)))
    await network.until_settled_calls()

    async def are_dropped() -> bool:
        counters = await network.counters()
        return (counters["reports_waiting"], counters["reports_dropped"]) == (5, 7)

    await until(are_dropped)
    assert "5 reports wait: those that come now are dropped" in network.complaints
    receiver.status = 204
    await network.until_settled()
    assert len(receiver.reports) == 5


async def test_a_receiver_that_breaks_off_gets_the_reports_again(run: Run) -> None:
    served: list[int] = []

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        served.append(1)
        writer.write(b"HTTP/1.1 nonsense\r\n\r\n" if len(served) == 1 else b"")
        writer.close()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    network, found = await run(), Receiver()
    await network.place(report_url=f"http://127.0.0.1:{port}/reports")
    await until(lambda: len(served) >= 3)
    server.close()
    await server.wait_closed()
    async with receiving(found, port):
        await network.until_settled()
    assert found.types() == WHOLE
