"""``kataven serve`` that dies, by SIGKILL, as soon as it comes to a named point between a claim and its outcome.

python tests/promises/dying.py "claim: committed" serve --config FILE
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from kataven_adapters.cli import main
from kataven_adapters.http_line import HttpLine
from kataven_adapters.http_line.requests import Answer, Requests
from kataven_adapters.sqlite import writer
from kataven_core import AttemptState, Decision, Order
from kataven_core.ports import Originated
from kataven_core.runtime import dispatcher

ANSWER_S: Final = 0.1
"""So long after a request has left it has arrived, and is not answered yet: the network takes its time."""

Kind = Callable[[AttemptState | None, AttemptState], bool]
KINDS: Final[Mapping[str, Kind]] = {
    "claim": lambda before, _: before is None,
    "placed": lambda before, after: before is AttemptState.CLAIMED and after is AttemptState.LIVE,
    "outcome": lambda before, after: before is not None and after is AttemptState.DONE,
}
"""What a transaction is about, by how an attempt changes in it."""
MOMENTS: Final = ("decided", "written", "committed", "followed")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def is_about(kind: str, decisions: Sequence[Decision]) -> bool:
    changes = [each for decision in decisions for each in decision.attempts]
    return any(KINDS[kind](before.state if before else None, after.state) for before, after in changes)


def die_around_commit(kind: str, moment: str) -> None:
    """Die in the thread that writes: before, between or after what a transaction of this kind does."""
    inside: Any = writer  # its very inside is what is tried
    write, commit, follow = inside.write, inside.Writer._commit, dispatcher.Dispatcher._follow_all  # noqa: SLF001 - they are watched at the places where a process dies
    now_about: list[bool] = [False]

    def watched_write(connection: Any, turns: Any, decisions: Sequence[Decision], *more: Any) -> Any:
        now_about[0] = is_about(kind, decisions)
        if now_about[0] and moment == "decided":
            die()
        return write(connection, turns, decisions, *more)

    def watched_commit(self: Any, *words: Any) -> None:
        if now_about[0] and moment == "written":
            die()
        commit(self, *words)
        if now_about[0] and moment == "committed":
            die()

    def watched_follow(self: Any, waiting: Any, settled: Any) -> None:
        follow(self, waiting, settled)
        if moment == "followed" and is_about(kind, settled.decisions):
            die()

    inside.write = watched_write
    inside.Writer._commit = watched_commit  # noqa: SLF001 - as above
    dispatcher.Dispatcher._follow_all = watched_follow  # type: ignore[method-assign]  # noqa: SLF001 - as above


def die_around_send(moment: str) -> None:
    """Die while a call is asked for."""
    originate, place = HttpLine.originate, Requests.place

    async def watched_originate(self: HttpLine, order: Order) -> Originated:
        if moment == "begun":
            die()
        originated = await originate(self, order)
        if moment == "understood":
            die()
        if moment == "reported":
            asyncio.get_running_loop().call_soon(die)
        return originated

    async def watched_place(self: Requests, attempt_id: str, body: bytes) -> Answer:
        if moment == "asked":
            asyncio.get_running_loop().call_later(ANSWER_S, die)
        answer = await place(self, attempt_id, body)
        if moment == "answered":
            die()
        return answer

    HttpLine.originate = watched_originate  # type: ignore[method-assign] # a double stands in for it
    Requests.place = watched_place  # type: ignore[method-assign] # a double stands in for it


def die_around_report(moment: str) -> None:
    """Die while the dialer reports."""
    take = HttpLine.take

    async def watched_take(self: HttpLine, headers: Mapping[str, str], body: bytes) -> None:
        if moment == "come":
            die()
        if moment == "delivered":
            asyncio.get_running_loop().call_soon(die)
        await take(self, headers, body)
        if moment == "durable":
            die()

    HttpLine.take = watched_take  # type: ignore[method-assign] # a double stands in for it


POINTS: Final[Mapping[str, Callable[[], None]]] = {
    **{f"{kind}: {moment}": partial(die_around_commit, kind, moment) for kind in KINDS for moment in MOMENTS},
    **{
        f"send: {moment}": partial(die_around_send, moment)
        for moment in ("begun", "asked", "answered", "understood", "reported")
    },
    **{f"report: {moment}": partial(die_around_report, moment) for moment in ("come", "delivered", "durable")},
}
"""Each place between a claim and its outcome at which the process waits for something, and both sides of commits."""


if __name__ == "__main__":
    POINTS[sys.argv.pop(1)]()
    sys.exit(main())
