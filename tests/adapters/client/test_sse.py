import json
from typing import Any

import pytest

from kataven_adapters.client import KatavenError
from kataven_adapters.client.sse import MAX_FRAME_BYTES, EventParser

STREAM = (
    '\ufeffid: 1\ndata: {"status": "running", "name": "Ünïcode ☎ 📞"}\n\n'
    ": heartbeat\n\n"
    "event: tick\nretry: 100\nunknown\n\n"
    'data: {"a":\ndata:  1,\ndata\ndata:"b": 2}\nid: 2\n\n'
    'id: 3\nevent: end\ndata: {"status": "completed"}\n\n'
)
ITEMS: list[Any] = [
    {"status": "running", "name": "Ünïcode ☎ 📞"},
    ": heartbeat",
    {"a": 1, "b": 2},
    "event: end",
    {"status": "completed"},
]


def fed(*chunks: bytes) -> list[Any]:
    parser = EventParser()
    return [item for chunk in chunks for item in parser.feed(chunk)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_chunks_may_be_cut_anywhere_and_lines_end_in_any_way(line_end: str, size: int) -> None:
    data = STREAM.replace("\n", line_end).encode()
    assert fed(*(data[at : at + size] for at in range(0, len(data), size))) == ITEMS


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_every_cut_in_two_gives_the_same(line_end: bytes) -> None:
    data = STREAM.encode().replace(b"\n", line_end)
    for at in range(len(data)):
        assert fed(data[:at], b"", data[at:]) == ITEMS


def test_what_a_line_ends_is_given_before_the_next_byte_comes() -> None:
    for line_end in (b"\n", b"\r\n", b"\r"):
        parser = EventParser()
        assert parser.feed(b": heartbeat" + line_end) == [": heartbeat"]
        assert parser.feed(line_end) == []
        assert parser.feed(b"data: {}" + line_end + line_end) == [{}]


def test_a_frame_that_is_not_finished_is_not_given() -> None:
    assert fed(b'data: {"a": 1}\n') == []


def test_an_end_needs_no_data_and_other_events_do() -> None:
    assert fed(b"event: end\n\n") == ["event: end"]
    assert fed(b"event: tick\n\n") == []
    assert fed(b"event: message\ndata: {}\n\n") == [{}]
    assert fed(b"event: tick\ndata: {}\n\ndata: {}\n\n") == ["event: tick", {}, {}]


def test_comments_are_given_as_they_stand() -> None:
    assert fed(b":\n:x\n: y \n") == [":", ":x", ": y "]


def test_only_one_byte_order_mark_is_taken_off() -> None:
    mark = "\ufeff".encode()
    assert fed(mark + b": a\n") == [": a"]
    assert fed(b": a\n" + mark + b": b\n") == [": a"]


def test_what_is_no_utf_8_does_no_harm() -> None:
    assert fed(b': caf\xe9\ndata: {"a": "\xff"}\n\n') == [": caf�", {"a": "�"}]


def test_the_id_counts_once_its_frame_is_whole() -> None:
    parser, ids = EventParser(), []
    for chunk in (b"", b"id: 7\n", b"\n", b"id: 8\0\ndata: {}\n\n", b"id\n\n"):
        parser.feed(chunk)
        ids.append(parser.last_event_id)
    assert ids == [None, None, "7", "7", ""]


@pytest.mark.parametrize("data", [b"hello", b"[]", b"7", b"{", b"[" * 100_000])
def test_data_that_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(KatavenError, match="sends an event that is no JSON object: check base_url"):
        fed(b"data: " + data + b"\n\n")


@pytest.mark.parametrize("piece", [b"x" * 65_536, b"data: " + b"x" * 65_536 + b"\n"])
def test_a_frame_without_end_is_refused(piece: bytes) -> None:
    with pytest.raises(KatavenError, match="an event that has no end"):
        fed(*[piece] * (2 * MAX_FRAME_BYTES // len(piece)))


def test_a_large_frame_is_read() -> None:
    members = {"name": "x" * 500_000}
    assert fed(b"data: " + json.dumps(members).encode() + b"\n\n") == [members]
