"""A file is sent while it is read, whatever kind of file it is."""

import io
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from aiohttp import web

from kataven_adapters.client import BadRequestError, KatavenError
from kataven_adapters.client.upload import CHUNK_BYTES, Upload

NEW = ("Spring", "agent", "number")
LARGE = b"phone_number\n" + b"+14155550100\n" * 400_000


class Watched(io.BytesIO):
    """A file that keeps how much of it was read at once."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[int] = []

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(size)
        self.reads.append(len(chunk))
        return chunk


def test_a_large_file_is_read_in_pieces(scripted: Any, connect: Any) -> None:
    scripted.answers({})
    file = Watched(LARGE)
    connect(scripted.url).campaigns.create(*NEW, file)
    assert scripted.asked[0].parts[-1] == ("contacts", "contacts.csv", LARGE)
    assert max(file.reads) == CHUNK_BYTES


def test_progress_is_told_in_bytes_of_the_file(scripted: Any, connect: Any) -> None:
    scripted.answers({})
    told: list[tuple[int, int | None]] = []
    data = b"x" * (2 * CHUNK_BYTES + 1)
    connect(scripted.url).campaigns.create(*NEW, io.BytesIO(data), on_progress=lambda *each: told.append(each))
    assert told == [(CHUNK_BYTES, len(data)), (2 * CHUNK_BYTES, len(data)), (len(data), len(data))]


def test_a_file_is_sent_from_where_it_stands(scripted: Any, connect: Any, tmp_path: Path) -> None:
    scripted.answers({})
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"a title\nphone_number\n+1\n")
    with path.open("rb") as file:
        file.readline()
        connect(scripted.url).campaigns.create(*NEW, file)
    assert scripted.asked[0].parts[-1][2] == b"phone_number\n+1\n"


def test_a_pipe_is_sent_as_it_comes(scripted: Any, connect: Any) -> None:
    begun, bodies = threading.Event(), []

    async def receive(request: web.Request) -> web.Response:
        body = await request.content.readuntil(b"phone_number\n")
        begun.set()
        bodies.append(body + await request.content.read())
        return web.json_response({})

    def write() -> None:
        os.write(writing, b"phone_number\n")
        begun.wait()
        os.write(writing, b"+14155550100\n")
        os.close(writing)

    scripted.answers(receive)
    told: list[tuple[int, int | None]] = []
    reading, writing = os.pipe()
    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb", buffering=0) as file:  # noqa: PTH123 - a pipe has no path
        connect(scripted.url).campaigns.create(*NEW, file, on_progress=lambda *each: told.append(each))
    writer.join()
    assert scripted.asked[0].headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in scripted.asked[0].headers
    assert b"phone_number\n+14155550100\n\r\n--" in bodies[0]
    assert told == [(13, None), (26, None)]


def test_an_answer_that_comes_before_the_end_is_heard(scripted: Any, connect: Any) -> None:
    async def refuse(request: web.Request) -> web.Response:
        await request.content.readany()
        return web.Response(status=400, text="the file is too large")

    scripted.answers(refuse)
    with pytest.raises(BadRequestError, match="the file is too large"):
        connect(scripted.url).campaigns.create(*NEW, io.BytesIO(b"x" * 300_000))


def test_what_the_caller_raises_ends_the_upload(scripted: Any, connect: Any) -> None:
    async def receive(request: web.Request) -> web.Response:
        with suppress(OSError, web.HTTPException, web.RequestPayloadError):
            await request.read()
        return web.json_response({})

    def enough(*_: object) -> None:
        raise RuntimeError("enough")

    scripted.answers(receive)
    with pytest.raises(RuntimeError, match="enough"):
        connect(scripted.url).campaigns.create(*NEW, io.BytesIO(LARGE), on_progress=enough)


@pytest.mark.parametrize("file", [io.StringIO("phone_number\n"), b"phone_number\n", "contacts.csv", None])
def test_what_is_no_binary_file_is_refused_before_anything_is_sent(scripted: Any, connect: Any, file: Any) -> None:
    with pytest.raises(KatavenError, match=r"open in binary mode: open\(path, 'rb'\)"):
        connect(scripted.url).campaigns.create(*NEW, file)
    assert scripted.asked == []


def test_a_file_that_gives_text_after_all_is_refused() -> None:
    class Text:
        def read(self, _: int) -> str:
            return "phone_number"

    with pytest.raises(KatavenError, match="binary mode"):
        list(Upload(cast(BinaryIO, Text()), {}, "b", None).chunks())


def test_a_file_that_grows_is_sent_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"1234")
    with path.open("rb") as file:
        upload = Upload(file, {}, "b", None)
        path.write_bytes(b"123456")
        assert sum(len(piece) for piece, _ in upload.chunks()) == upload.length


def test_a_file_that_shrinks_is_refused() -> None:
    file = io.BytesIO(b"12345")
    upload = Upload(file, {}, "b", None)
    file.truncate(3)
    with pytest.raises(KatavenError, match="became shorter while it was sent"):
        list(upload.chunks())


def test_it_can_be_read_twice() -> None:
    upload = Upload(io.BytesIO(b"12345"), {}, "b", None)
    assert list(upload.chunks()) == list(upload.chunks())


def test_an_empty_file_is_sent_too(scripted: Any, connect: Any) -> None:
    scripted.answers({})
    connect(scripted.url).campaigns.create(*NEW, io.BytesIO())
    assert scripted.asked[0].parts[-1] == ("contacts", "contacts.csv", b"")
