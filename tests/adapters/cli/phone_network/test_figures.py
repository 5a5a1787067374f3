import pytest

from kataven_adapters.cli.phone_network.faults import Faults

from .conftest import Receiver, Run, world


async def test_the_figures_are_those_of_what_was_asked(run: Run, receiver: Receiver) -> None:
    network = await run(world(busy=1))
    for attempt in ("march.0.1", "march.1.1"):
        await network.place(attempt, report_url=receiver.url)
    await network.until_settled()
    await network.set_faults(refuse=1)
    await network.place("march.2.1")
    assert await network.counters() == {
        "placed": 2,
        "live": 0,
        "ended": 2,
        "reports_delivered": 4,
        "reports_waiting": 0,
        "reports_lost": 0,
        "reports_dropped": 0,
        "refused": 1,
        "failed": 0,
        "never_answered": 0,
        "look_ups_failed": 0,
    }


async def test_the_page_says_what_it_is_and_has_the_figures(run: Run) -> None:
    network = await run()
    page = await network.ask("GET", "/")
    text = await page.text()
    assert page.content_type == "text/plain"
    assert text.startswith("A simulated phone network: no phone rings.")
    rows = dict(line.split() for line in text.partition("\n\nplaced")[2].splitlines()[1:])
    assert rows == {name: str(value) for name, value in (await network.counters()).items() if name != "placed"}


async def test_faults_are_shown_and_set(run: Run) -> None:
    network = await run(faults=Faults(lose=0.25, slow_s=1.5))
    none = dict.fromkeys(["repeat", "reorder", "refuse", "fail", "never", "fail_look_up", "delay_s"], 0.0)
    shown = await network.ask("GET", "/faults")
    assert await shown.json() == {**none, "lose": 0.25, "slow_s": 1.5}
    put = await network.ask("PUT", "/faults", {"lose": 0, "delay_s": 2})
    assert (put.status, await put.json()) == (200, {**none, "lose": 0.0, "slow_s": 1.5, "delay_s": 2.0})
    assert await (await network.ask("GET", "/faults")).json() == await put.json()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"lose": 0.5, "fail": 7}', "fail is 7: write a chance from 0 to 1"),
        (b'{"lsoe": 0.5}', "there is no fault 'lsoe': use lose, repeat, "),
        (b"lose=1", "write a JSON object, such as "),
        (b"\xff", "write a JSON object, such as "),
        (b"", "write a JSON object, such as "),
    ],
)
async def test_faults_that_can_not_be_change_nothing(run: Run, body: bytes, sentence: str) -> None:
    network = await run(faults=Faults(lose=0.25))
    before = await (await network.ask("GET", "/faults")).json()
    answer = await network.ask("PUT", "/faults", data=body)
    assert answer.status == 400
    assert (await answer.json())["message"].startswith(sentence)
    assert await (await network.ask("GET", "/faults")).json() == before
