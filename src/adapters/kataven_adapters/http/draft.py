"""A form on its way to being a campaign: what has come of it so far, and all that is wrong with it."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import Any, Final

from kataven_core import (
    MAX_FILE_BYTES,
    Account,
    CampaignSettings,
    ContactsFileError,
    CsvOptions,
    FileFault,
    Problem,
    RejectedRow,
)
from kataven_core.runtime import Upload

from .calls import Call
from .fields import CONTACTS, KEEPING, KNOWN, misplaced, read_options, read_settings
from .forms import Form
from .once import Attempted
from .problems import HttpProblem, wrong_field

MAX_TEXT_BYTES: Final = 4096
"""Of a part that is no file: four times a name of 255 characters, and some."""


class Draft:
    """Takes a form part by part. Where ``attempt`` was answered before, its file is only looked at."""

    def __init__(self, call: Call, attempt: Attempted | None) -> None:
        self._call = call
        self._attempt = attempt
        self._texts: dict[str, str] = {}
        self._names: list[str] = []
        self._problems: list[Problem] = []
        self._file_error: ContactsFileError | None = None
        self._digest = sha256()
        self._is_whole = False
        self.upload: Upload | None = None

    async def read(self, form: Form, uploads: AsyncExitStack) -> None:
        """Take all parts, but nothing behind a file that is too large. The upload lives as long as ``uploads``."""
        try:
            async for name in form:
                await self._take(name, form, uploads)
                if self._file_error and self._file_error.code == FileFault.TOO_LARGE:
                    return
        except HttpProblem:
            if not self._file_error:
                raise
        else:
            self._is_whole = True

    async def _take(self, name: str, form: Form, uploads: AsyncExitStack) -> None:
        self._names.append(name)
        if self._names.count(name) > 1 or name not in KNOWN:
            return
        if name == CONTACTS:
            await self._take_contacts(form, uploads)
        else:
            await self._take_text(name, form)

    async def _take_text(self, name: str, form: Form) -> None:
        raw = b""
        async for piece in form.data():
            raw += piece[: MAX_TEXT_BYTES + 1 - len(raw)]
        self._texts[name] = ""
        if len(raw) > MAX_TEXT_BYTES:
            self._problems.append(Problem(name, f"{name} has more than {MAX_TEXT_BYTES:,} bytes: shorten it"))
            return
        try:
            self._texts[name] = raw.decode()
        except UnicodeDecodeError:
            self._problems.append(Problem(name, f"{name} is no UTF-8: send it as UTF-8"))

    async def _take_contacts(self, form: Form, uploads: AsyncExitStack) -> None:
        """Stage the rows, unless it is not known how to read them, or they were read before."""
        options = self._options()
        pieces = self._hashed(form.data()) if self._attempt else form.data()
        is_replay = self._attempt is not None and self._attempt.receipt is not None
        try:
            if isinstance(options, list) or is_replay:
                await _pass_over(pieces)
            else:
                upload = self._call.engine.upload(self._call.account_id, options=options)
                self.upload = await uploads.enter_async_context(upload)
                await self.upload.read(pieces)
        except ContactsFileError as error:
            self._file_error = error

    def _options(self) -> CsvOptions | list[Problem]:
        """Say how to read the file. What only decides which rows are kept may be wrong: the file is judged without."""
        read_region = self._call.services.read_region
        options = read_options(self._texts, read_region)
        if not isinstance(options, list) or {each.field for each in options} - KEEPING:
            return options
        return read_options({name: text for name, text in self._texts.items() if name not in KEEPING}, read_region)

    async def _hashed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            self._digest.update(piece)
            yield piece

    @property
    def payload(self) -> bytes:
        """What was sent under a key, whatever boundaries and order it came in."""
        assert self._attempt is not None  # noqa: S101 - else the file was not looked at for it
        return json.dumps([sorted(self._names), sorted(self._texts.items()), self._digest.hexdigest()]).encode()

    def settings(self, account: Account) -> CampaignSettings:
        """Give the settings; ``HttpProblem`` names all that is wrong."""
        services = self._call.services
        read = read_settings(
            self._texts, account, now=services.clock.now(), retry_delay_min_s=services.settings.retry_delay_min_s
        )
        options = read_options(self._texts, services.read_region)
        found = [
            *misplaced(self._names),
            *(read if isinstance(read, list) else ()),
            *(options if isinstance(options, list) else ()),
        ]
        known = {each.field for each in self._problems}
        problems = self._problems + [each for each in found if each.field not in known and self._is_wrong(each)]
        if CONTACTS not in self._names:
            problems.append(Problem(CONTACTS, "contacts is missing: send the CSV file"))
        if problems or self._file_error or isinstance(read, list):
            raise self._refusal(problems)
        return read

    def _is_wrong(self, problem: Problem) -> bool:
        """Say whether something is wrong, and not only still to come in what was not read."""
        return self._is_whole or problem.field in self._names

    def _refusal(self, problems: list[Problem]) -> HttpProblem:
        """Name every wrong part, and the file's first wrong rows."""
        error = self._file_error
        errors: list[dict[str, Any]] = [wrong_field(each) for each in problems]
        sentences = [each.message for each in problems]
        if error:
            errors.append({**wrong_field(Problem(CONTACTS, error.message)), "line": error.line, "column": error.column})
            errors += [_wrong_row(row) for row in error.rejected]
            sentences += [f"contacts: {error.message}"]
            sentences += [f"line {row.line}: {row.message}" for row in error.rejected[1:]]
        code = error.code if error and not problems else "invalid_settings"
        return HttpProblem(400, code, "; ".join(sentences), errors=errors, is_last=not self._is_whole)


async def _pass_over(pieces: AsyncIterator[bytes]) -> None:
    """Read a file of which nothing is made, as far as it may be read."""
    count = 0
    async for piece in pieces:
        count += len(piece)
        if count > MAX_FILE_BYTES:
            raise ContactsFileError(FileFault.TOO_LARGE, f"the file has more than {MAX_FILE_BYTES:,} bytes: split it")


def _wrong_row(row: RejectedRow) -> dict[str, Any]:
    return {
        "field": CONTACTS,
        "line": row.line,
        "column": row.column,
        "code": row.code.value,
        "message": row.message,
    }
