"""What the description promises, tried with all that it allows and much that it does not, on campaigns in every status.

Every check that comes with Schemathesis is on, but for one on forms that can't be told from sound ones on the wire. Two
things are ours. What no schema can describe (an agent that exists,
a time to come, a file of contacts) is put in where a part is sound, so that a form fails for nothing but what was bent.
And the key is sent by the test: ``ignored_auth`` tries without one and with a wrong one. Of an event stream the first
event is read, as that of a campaign that is not over has no last one.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any, Final, TypeVar
from zlib import crc32

import pytest
import schemathesis
from attrs import evolve
from hypothesis import HealthCheck, settings
from jsonschema_rs import Draft202012Validator
from schemathesis.core import NotSet
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import negative_data_rejection
from schemathesis.transport.serialization import Binary

import kataven_core as kc
from kataven_adapters.http import AsgiApp, create_asgi_app
from kataven_adapters.http.openapi import document
from kataven_adapters.http.routes import ROUTES
from kataven_adapters.memory import MemoryStore
from kataven_adapters.numbers import national_parser
from kataven_adapters.simulated import simulated_line
from kataven_core.runtime import Engine, EngineSettings, SystemClock

from .conftest import ACME, KEYS, SLOW, keys

T = TypeVar("T")

WIDE: Final = evolve(ACME, caps=kc.Caps(concurrent_max=99), agents=(*ACME.agents, kc.Agent(id="doomed")))
DOOMED: Final = evolve(WIDE, agents=ACME.agents)
"""The same without the agent whose campaign is to fail."""
FILES: Final = (
    b"phone_number\n+14155550100\n",
    b"phone_number,Name\r\n+1 415 555 0100,Ana\r\n+14155550101,\xe2\x80\xa8\r\n",
    b"Name;phone_number\n;+14155550100\n=1+1;nobody\nAna;+14155550100\n",
)
"""All of them can be used; the last holds rows that can't."""
STEPS: Final = {
    "running": (kc.Operation.START,),
    "paused": (kc.Operation.START, kc.Operation.PAUSE),
    "completed": (kc.Operation.START, kc.Operation.STOP),
    "failed": (kc.Operation.START,),
}
KINDS: Final = ("draft", "wide", "scheduled", "running", "paused", "completed", "failed", "as it came")
"""``wide`` is a draft that does not fit into the budget, ``as it came`` an id that was made up."""
ACCEPTS: Final = ("*/*", "application/problem+json", "text/html, application/json;q=0.5")
NOW: Final = SystemClock().now()
KNOWN: Final = {
    "agent_id": "reminder",
    "phone_number_id": "office",
    "default_region": "US",
    "phone_column": "PHONE_NUMBER",
}
UNTAUGHT: Final = {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}}
"""What was answered before, ids above all, plays no part in what is asked next, so that each run is the same."""
SLUG: Final = re.compile("[a-z0-9][a-z0-9_-]{0,62}")

DOCUMENT: Final = document(ROUTES, "")
PARTS: Final = {
    name: Draft202012Validator(part, validate_formats=True)
    for name, part in DOCUMENT["components"]["schemas"]["CampaignForm"]["properties"].items()
}


class Hosted:
    """The API around an engine that lives as long as the application does, and campaigns to try it on."""

    def __init__(self) -> None:
        self._engine: Engine
        self._loop: asyncio.AbstractEventLoop
        self._api: AsgiApp

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            self._loop = asyncio.get_running_loop()
            line, impatient = simulated_line(SLOW, SystemClock()), EngineSettings(drain_s=0.1, settle_limit_s=1)
            async with Engine(store=MemoryStore(), line=line, accounts=[WIDE], settings=impatient) as self._engine:
                self._api = create_asgi_app(self._engine, keys(), read_region=national_parser)
                await self._api(scope, receive, send)
        else:
            await self._api(scope, receive, send)

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(120)

    async def campaign(self, kind: str) -> str:
        asked = kc.campaign_settings(
            now=NOW,
            name=kind,
            agent_id="doomed" if kind == "failed" else "reminder",
            phone_number_id="office",
            max_concurrent_calls=100 if kind == "wide" else 5,
            scheduled_at=NOW + timedelta(days=1) if kind == "scheduled" else None,
        )
        made = await self._engine.create(WIDE.id, asked, contacts=BytesIO(FILES[2]))
        for operation in STEPS.get(kind, ()):
            await self._engine.operate(WIDE.id, made.id, operation)
        if kind == "failed":
            await self._fail(made.id)
        return made.id

    async def _fail(self, campaign_id: str) -> None:
        async with self._engine.events(WIDE.id, campaign_id) as events:
            await self._engine.put_account(DOOMED)
            async for event in events:
                if isinstance(event, kc.CampaignFailed):
                    break
        await self._engine.put_account(WIDE)

    async def clear(self) -> None:
        """Leave nothing behind, so that each example finds the same."""
        for each in await self._engine.campaigns(WIDE.id):
            if each.status is kc.CampaignStatus.RUNNING:
                await self._engine.stop(WIDE.id, each.id)
            await self._engine.delete(WIDE.id, each.id)


hosted = Hosted()
schema = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=schemathesis.Config.from_dict(
        {
            "seed": 7,
            "max-stream-events": 1,
            "phases": {"fuzzing": UNTAUGHT},
            "generation": {"deterministic": True, "database": "none", "with-security-parameters": False},
        }
    ),
)
schema.app = hosted

_numbers = count()
_kinds: Counter[tuple[str, str]] = Counter()
_answers: Counter[tuple[str, int]] = Counter()
_forms: Counter[str] = Counter()
_replays: Counter[str] = Counter()


@pytest.fixture
def _server() -> Iterator[None]:
    with asgi.get_client(hosted) as client:
        assert client.get("/healthz").ok
    yield
    asgi.shutdown_lifespans()


class Chosen:
    """Choices that depend on nothing but a case, so that a case that fails once fails again."""

    def __init__(self, case: schemathesis.Case[Any]) -> None:
        body = "" if isinstance(case.body, NotSet) else case.body
        said = repr((case.path_parameters, case.query, dict(case.headers), body))
        self._number = crc32(said.encode("utf-8", "replace"))

    def of(self, *things: T) -> T:
        self._number, index = divmod(self._number, len(things))
        return things[index]


def make_usable(case: schemathesis.Case[Any], chosen: Chosen) -> None:
    """Put in what no schema can describe, wherever what stands there is sound."""
    sound_id, sound_key = case.headers.get("X-Account-ID", ""), case.headers.get("Idempotency-Key", "")
    if SLUG.fullmatch(sound_id) and chosen.of(*range(8)):
        case.headers["X-Account-ID"] = WIDE.id
    if sound_key.strip():
        case.headers["Idempotency-Key"] = f"{sound_key[:200]}{next(_numbers)}"  # each is used once
    if isinstance(case.body, dict):
        fill_form(case.body, chosen)


def fill_form(body: dict[str, Any], chosen: Chosen) -> None:
    later = NOW + timedelta(hours=chosen.of(1, 100, 10_000))
    known = {**KNOWN, "scheduled_at": later.isoformat()}
    for name in known.keys() & body.keys():
        if PARTS[name].is_valid(body[name]):
            body[name] = known[name]
    if isinstance(body.get("contacts"), Binary):
        del body["contacts"]  # behind what says how to read it
        body["contacts"] = Binary(chosen.of(*FILES[: 2 if body.get("strict") else 3]))


def checks_without_meaning(case: schemathesis.Case[Any]) -> list[Any]:
    """Say what a case can't show: a part of a form is text, and an array of one number is that number on the wire."""
    parts = case.body.values() if isinstance(case.body, dict) else ()
    return [negative_data_rejection] if any(isinstance(each, list | dict | None) for each in parts) else []


def keeps_what_is_promised(case: schemathesis.Case[Any]) -> None:
    chosen, label = Chosen(case), case.operation.label
    make_usable(case, chosen)
    if "id" in case.path_parameters and (kind := chosen.of(*KINDS)) != "as it came":
        case.path_parameters = {**case.path_parameters, "id": hosted.do(hosted.campaign(kind))}
        _kinds[label, kind] += 1
    headers = {"Authorization": f"Bearer {KEYS[WIDE.id]}", "Accept": chosen.of(*ACCEPTS)}
    try:
        answer = case.call_and_validate(headers=headers, excluded_checks=checks_without_meaning(case))
        _answers[label, int(answer.status_code)] += 1
        _forms[answer.headers.get("content-type", [""])[0]] += 1
        if answer.status_code < 300 and answer.request.headers.get("Idempotency-Key"):
            again = case.call(headers=headers)
            assert (again.status_code, again.content) == (answer.status_code, answer.content)
            assert again.headers["idempotency-replayed"] == ["true"]
            _replays[label] += 1
    finally:
        hosted.do(hosted.clear())


def trial_of(label: str) -> Callable[[schemathesis.Case[Any]], None]:
    """Make the test of one operation."""

    @schema.include(name=label).parametrize()
    @settings(max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @pytest.mark.usefixtures("_server")
    def test(case: schemathesis.Case[Any]) -> None:
        keeps_what_is_promised(case)

    made: Callable[[schemathesis.Case[Any]], None] = test
    return made


for _path, _methods in DOCUMENT["paths"].items():
    for _method in _methods:
        # Each by a name of its own: of tests of one name, only one is run when tests are run on several cores.
        globals()[f"test_what_is_promised_of_{_method}_{_path}"] = trial_of(f"{_method.upper()} {_path}")


def test_it_was_tried_in_earnest() -> None:
    """Every success was seen, also once more; errors in both forms; campaigns in every status where one is named."""
    labels = {label for label, _ in _answers}
    if len(labels) < len([route for route in ROUTES if route.is_described]):
        pytest.skip("only a part of it was tried")
    for path, methods in DOCUMENT["paths"].items():
        for method, found in methods.items():
            label = f"{method.upper()} {path}"
            assert _answers[label, int(next(iter(found["responses"])))]
            assert "{id}" not in path or all(_kinds[label, kind] > 1 for kind in KINDS[:-1])
            assert method != "post" or _replays[label]
            assert "409" not in found["responses"] or "{id}" not in path or _answers[label, 409]
    assert {"text/plain; charset=utf-8", "application/problem+json"} <= {*_forms}
