from pathlib import Path

from kataven_adapters.simulated import SimulatedLine, SimulatedSettings
from kataven_core import Outcome
from kataven_core.ports import Clock, Line
from kataven_core.testing import LineContract

EVERYTHING = {outcome: 1 / 7 for outcome in Outcome if outcome not in {"cancelled", "lost", "unsent"}}


class TestSimulatedLine(LineContract):
    def new_line(self, tmp_path: Path, clock: Clock) -> Line:
        log = str(tmp_path / "phones.jsonl")
        return SimulatedLine(SimulatedSettings(chances=EVERYTHING, ring_s=0.005, talk_s=0.01, log=log), clock)


class TestSimulatedLineThatTakesNoTime(LineContract):
    def new_line(self, tmp_path: Path, clock: Clock) -> Line:  # noqa: ARG002 - it is in no folder
        return SimulatedLine(SimulatedSettings(ring_s=0, talk_s=0), clock)
