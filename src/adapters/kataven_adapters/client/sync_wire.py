"""Requests and answers over httpx, for code that waits."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from .access import Access
from .answers import error_of, refuse_other_streams
from .calls import Call
from .errors import KatavenError
from .following import Following
from .retries import Retries
from .sse import Item
from .transport import http_options, refuse_closed, request_options, translated
from .upload import Upload

T = TypeVar("T")


class SyncWire:
    """The connections of one client."""

    def __init__(
        self,
        access: Access,
        timeout: float | None,
        retries: Retries,
        sleep: Callable[[float], object],
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._access = access
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep
        self._http = httpx.Client(**http_options(access, timeout, transport))

    def close(self) -> None:
        """Close them."""
        self._http.close()

    def ask(self, call: Call[T]) -> T:
        """Give what a call is answered."""
        return call.read(self._answer(call))

    def stream(self, call: Call[None]) -> Generator[bytes, None, None]:
        """Yield an answer as it comes."""
        with self._opened(call) as answer:
            yield from answer.iter_bytes()

    def follow(self, following: Following) -> Generator[Item, None, None]:
        """Yield events, over as many connections as it takes."""
        wait_s: float | None = 0.0
        while wait_s is not None:
            error = None
            if wait_s:
                self._sleep(wait_s)
            try:
                with self._opened(following.call()) as answer:
                    refuse_other_streams(answer)
                    for chunk in answer.iter_bytes():
                        yield from following.read(chunk)
            except KatavenError as fault:
                error = fault
            wait_s = following.wait_s(error)

    @contextmanager
    def _opened(self, call: Call[None]) -> Iterator[httpx.Response]:
        """Give an answer whose body is still to come; leaving it closes the connection."""
        answer = self._answer(call)
        try:
            with translated(self._access, self._timeout):
                yield answer
        finally:
            answer.close()

    def _answer(self, call: Call[Any]) -> httpx.Response:
        """Send a call, again where that may help."""
        failures = 0
        while True:
            try:
                return self._send(call)
            except KatavenError as error:
                failures += 1
                wait_s = self._retries.wait_s(call, error, failures)
                if wait_s is None:
                    raise
            self._sleep(wait_s)

    def _send(self, call: Call[Any]) -> httpx.Response:
        """Send a call once and give its success."""
        refuse_closed(self._http)
        with translated(self._access, self._timeout):
            content = _body(call.upload) if call.upload else None
            request = self._http.build_request(**request_options(call, self._access, self._timeout), content=content)
            answer = self._http.send(request, stream=call.is_stream)
            if answer.is_success:
                return answer
            try:
                answer.read()
            finally:
                answer.close()
        raise error_of(answer)


def _body(upload: Upload) -> Iterator[bytes]:
    for piece, sent in upload.chunks():
        yield piece
        upload.tell(sent)
