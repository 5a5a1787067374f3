"""Both clients, asked in the same words: the tests of what goes over the wire run over each."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import pytest

from kataven_adapters.client import AsyncKatavenClient, KatavenClient

KEY = "sk_live_acme_test_0123456789"


class Blocking:
    """The asynchronous client, or what belongs to it, for code that waits."""

    def __init__(self, real: Any, loop: asyncio.Runner) -> None:
        self._real = real
        self._loop = loop

    def __repr__(self) -> str:
        return repr(self._real)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, "aclose" if name == "close" else name)
        return self._called(found) if inspect.ismethod(found) else Blocking(found, self._loop)

    def _called(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            found: Any = method(*words, **named)
            return self._each(found) if inspect.isasyncgen(found) else self._loop.run(found)

        return call

    def _each(self, items: AsyncGenerator[Any, Any]) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(items, None)

        try:
            while (item := self._loop.run(following())) is not None:
                yield item
        finally:
            self._loop.run(items.aclose())


class Clients:
    """Makes clients of one kind, and closes them. ``slept`` is how long they wanted to wait between tries."""

    def __init__(self, *, is_async: bool) -> None:
        self._is_async = is_async
        self._loop = asyncio.Runner()
        self._made: list[Any] = []
        self.slept: list[float] = []

    def __call__(self, base_url: str, **more: Any) -> Any:
        options: dict[str, Any] = {"api_key": KEY, "base_url": base_url, "chance": lambda: 0.0} | more
        if self._is_async:
            client: Any = Blocking(AsyncKatavenClient(sleep=self._sleep, **options), self._loop)
        else:
            client = KatavenClient(sleep=self.slept.append, **options)
        self._made.append(client)
        return client

    def close(self) -> None:
        for client in self._made:
            client.close()
        self._loop.close()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Give what makes clients, of one kind and then of the other."""
    monkeypatch.delenv("KATAVEN_BASE_URL", raising=False)
    monkeypatch.delenv("KATAVEN_API_KEY", raising=False)
    clients = Clients(is_async=request.param == "async")
    yield clients
    clients.close()
