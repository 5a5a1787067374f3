import json

import pytest
from attrs import evolve

from kataven_adapters.http.sse import HEARTBEAT, data_frame, end_frame, frames_of
from kataven_core import CampaignId, CampaignStatus
from kataven_core.runtime import Progress

from .feeding import snapshot

TERMINAL = {CampaignStatus.COMPLETED, CampaignStatus.FAILED}


def test_a_snapshot_is_an_event_with_an_id_and_one_line_of_data() -> None:
    assert data_frame(7, b'{"a":1}') == b'id: 7\ndata: {"a":1}\n\n'


def test_the_end_is_an_event_of_its_own_name_that_holds_data() -> None:
    assert end_frame(7, b'{"a":1}') == b'id: 7\nevent: end\ndata: {"a":1}\n\n'


def test_a_sign_of_life_is_a_comment() -> None:
    assert HEARTBEAT == b": heartbeat\n\n"


@pytest.mark.parametrize("status", CampaignStatus)
@pytest.mark.parametrize("is_gone", [True, False])
def test_the_end_follows_the_last_snapshot_and_no_other(
    status: CampaignStatus,
    is_gone: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    found = frames_of(Progress(snapshot(status), 3), is_gone=is_gone)
    is_end = is_gone or status in TERMINAL
    events = found.frames.split(b"\n\n")
    assert found.is_end is is_end
    assert found.sequence == 3
    assert len(events) == (3 if is_end else 2)
    assert events[-1] == b""
    assert events[0].startswith(b"id: 3\ndata: {")
    if is_end:
        assert events[1].replace(b"event: end\n", b"") == events[0]


@pytest.mark.parametrize("ugly", ["\n", "\r", "\r\n", "\n\ndata: {}", "\u2028", "\x85", "\ud800", '"', "\\"])
def test_nothing_in_a_snapshot_breaks_its_line(ugly: str) -> None:
    moment = evolve(snapshot(), campaign_id=CampaignId(f"a{ugly}b"))
    lines = frames_of(Progress(moment, 1)).frames.decode().replace("\r", "\n").split("\n")
    assert [line.partition(":")[0] for line in lines] == ["id", "data", "", ""]
    shown = json.loads(lines[1].removeprefix("data: "))["campaign_id"]
    assert shown == f"a{ugly}b".replace("\ud800", "?")
