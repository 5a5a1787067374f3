import logging

import pytest

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.phone_network.network import Network

from .conftest import Run


async def test_a_call_that_can_not_take_its_next_step_ends_the_network(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(_: Network, __: object) -> None:
        raise RuntimeError("it stumbled")

    monkeypatch.setattr(Network, "_answer", stumble)
    network = await run()
    assert (await network.place()).status == 201
    with caplog.at_level(logging.ERROR), pytest.raises(CommandFailure, match="a call could not take its next step"):
        await network.end()
    assert "it stumbled" in caplog.text
