"""Every state of a listener against everything that can come to it."""

from itertools import product
from typing import Final

import pytest

from kataven_adapters.http.listeners import Listener
from kataven_adapters.http.sse import HEARTBEAT, Frames

from .feeding import FakeSink, virtually

FIRST: Final = Frames(5, b"id: 5\n\n", is_end=False)
NEXT: Final = Frames(6, b"id: 6\n\n", is_end=False)
NEWER: Final = Frames(7, b"id: 7\n\n", is_end=False)
OLDER: Final = Frames(4, b"id: 4\n\n", is_end=False)
END: Final = Frames(8, b"id: 8\nevent: end\n\n", is_end=True)

STATES: Final = ("free", "blocked", "blocked, with a frame", "blocked, with a beat", "gone", "not begun", "over")
INPUTS: Final = ("room", "frame", "frame and beat", "older frame", "beat", "nothing", "end", "drop", "close")


class Scene:
    """A listener in a state, its connection, and how often it has left."""

    def __init__(self, state: str) -> None:
        self.left = 0
        self.sink = FakeSink()
        self.listener = Listener(self._leave)
        self.listener.begin(FIRST)
        self._put(state)
        self.sink.calls.clear()

    def _leave(self, _: Listener) -> None:
        self.left += 1

    def _put(self, state: str) -> None:
        if state != "not begun":
            self.listener.attach(self.sink)
        self.sink.is_blocked = state.startswith("blocked")
        self.sink.is_gone = state == "gone"
        if state == "blocked, with a frame":
            self.hear(NEXT, now=0)
        if state == "blocked, with a beat":
            self.hear(None, is_beat=True, now=0)
        if state == "over":
            self.listener.close()

    def hear(self, newest: Frames | None, *, is_beat: bool = False, now: float = 1) -> None:
        self.listener.hear(newest, is_beat=is_beat, now=now)

    def take(self, word: str) -> None:
        match word:
            case "drop":
                self.listener.drop()
            case "close":
                self.listener.close()
            case "room":
                self.listener.catch_up()
            case "frame" | "frame and beat":
                self.hear(NEWER, is_beat=word.endswith("beat"))
            case "older frame":
                self.hear(OLDER)
            case "end":
                self.hear(END)
            case _:
                self.hear(None, is_beat=word == "beat")


def expected(state: str, word: str) -> tuple[list[str], int]:  # noqa: C901 - a table
    """Give what the connection is asked for, and how often the listener leaves."""
    match state, word:
        case "not begun", "drop":
            return [], 1
        case "not begun", _:
            return [], 0
        case _, "drop":
            return ["abort"], 1
        case _, "close":
            return ["finish"], 0
        case "blocked, with a frame", "room":
            return ["refuse"], 0
        case _, "room":
            return [], 0
        case "gone", _:
            return ["abort"], 1
        case _, "end":
            return ["finish"], 1
        case (("free" | "over" | "blocked"), ("nothing" | "older frame")):
            return [], 0
        case (("free" | "over"), _):
            return ["write"], 0
        case _:
            return ["refuse"], 0


@pytest.mark.parametrize(("state", "word"), [*product(STATES, INPUTS)])
def test_in_every_state_it_does_with_every_input_what_the_table_says(state: str, word: str) -> None:
    async def test() -> None:
        scene = Scene(state)
        scene.take(word)
        assert (scene.sink.calls, scene.left) == expected(state, word)

    virtually(test())


@pytest.mark.parametrize("state", STATES)
def test_it_may_leave_as_often_as_it_likes(state: str) -> None:
    async def test() -> None:
        scene = Scene(state)
        scene.listener.leave()
        scene.listener.leave()
        assert scene.left == 2
        assert scene.sink.calls == []

    virtually(test())


def test_what_could_not_be_sent_is_replaced_by_what_is_newer() -> None:
    async def test() -> None:
        scene = Scene("blocked, with a frame")
        scene.hear(NEWER)
        scene.hear(OLDER)
        scene.sink.is_blocked = False
        scene.hear(None)
        assert scene.sink.text == NEWER.frames
        scene.hear(None)
        assert scene.sink.text == NEWER.frames

    virtually(test())


def test_what_could_not_be_sent_is_sent_as_soon_as_there_is_room() -> None:
    async def test() -> None:
        scene = Scene("blocked, with a frame")
        scene.sink.is_blocked = False
        scene.listener.catch_up()
        scene.listener.catch_up()
        assert scene.sink.text == NEXT.frames
        assert not scene.listener.is_blocked_for(0, 100)

    virtually(test())


def test_a_sign_of_life_that_could_not_be_sent_is_sent_once_it_can() -> None:
    async def test() -> None:
        scene = Scene("blocked, with a beat")
        scene.hear(None)
        scene.sink.is_blocked = False
        scene.hear(None)
        scene.hear(None)
        assert scene.sink.text == HEARTBEAT

    virtually(test())


def test_a_frame_makes_the_sign_of_life_before_it_needless() -> None:
    async def test() -> None:
        scene = Scene("blocked, with a beat")
        scene.sink.is_blocked = False
        scene.hear(NEWER)
        assert scene.sink.text == NEWER.frames

    virtually(test())


def test_a_frame_comes_before_the_sign_of_life_that_is_due_with_it() -> None:
    async def test() -> None:
        scene = Scene("free")
        scene.hear(NEWER, is_beat=True)
        assert scene.sink.text == NEWER.frames + HEARTBEAT

    virtually(test())


@pytest.mark.parametrize("began_at", [0.0, 0.5, 1e9])
def test_it_is_blocked_from_the_first_refusal_to_the_next_success(began_at: float) -> None:
    async def test() -> None:
        scene = Scene("blocked")
        for after in (0, 10, 20):
            scene.hear(NEXT, now=began_at + after)
            assert not scene.listener.is_blocked_for(30, began_at + after)
        assert scene.listener.is_blocked_for(30, began_at + 30)
        scene.sink.is_blocked = False
        scene.hear(NEXT, now=began_at + 40)
        assert not scene.listener.is_blocked_for(30, began_at + 1e9)

    virtually(test())


def test_one_that_has_not_begun_is_blocked_until_it_does() -> None:
    async def test() -> None:
        scene = Scene("not begun")
        assert not scene.listener.is_blocked_for(30, 100)
        scene.hear(NEXT, now=10)
        scene.hear(NEWER, now=20)
        assert scene.listener.is_blocked_for(30, 40)
        scene.listener.attach(scene.sink)
        assert not scene.listener.is_blocked_for(30, 1000)
        assert scene.sink.text == NEWER.frames

    virtually(test())


@pytest.mark.parametrize("heard", [OLDER, NEXT, END])
def test_what_was_heard_before_the_first_frame_counts_unless_it_is_older(heard: Frames) -> None:
    async def test() -> None:
        sink = FakeSink()
        listener = Listener(lambda _: None)
        listener.hear(heard, is_beat=False, now=0)
        listener.begin(FIRST)
        listener.attach(sink)
        assert sink.text == (b"" if heard is OLDER else heard.frames)
        assert sink.calls == {OLDER: [], NEXT: ["write"], END: ["finish"]}[heard]

    virtually(test())


@pytest.mark.parametrize("how", ["close", "drop"])
def test_one_that_was_closed_before_it_began_ends_as_it_begins(how: str) -> None:
    async def test() -> None:
        scene = Scene("not begun")
        scene.hear(NEXT)
        scene.take(how)
        scene.listener.attach(scene.sink)
        assert scene.sink.calls == ["finish"]
        assert scene.sink.text == b""

    virtually(test())


def test_the_end_that_came_before_it_began_is_sent_though_it_was_closed() -> None:
    async def test() -> None:
        scene = Scene("not begun")
        scene.hear(END)
        scene.listener.close()
        scene.listener.attach(scene.sink)
        assert scene.sink.calls == ["finish"]
        assert scene.sink.text == END.frames
        assert scene.left == 1

    virtually(test())


def test_what_comes_first_while_the_connection_is_busy_waits_for_the_next_turn() -> None:
    async def test() -> None:
        scene = Scene("not begun")
        scene.hear(NEXT)
        scene.sink.is_blocked = True
        scene.listener.attach(scene.sink)
        scene.sink.is_blocked = False
        scene.hear(None)
        assert scene.sink.ids == [6]

    virtually(test())
