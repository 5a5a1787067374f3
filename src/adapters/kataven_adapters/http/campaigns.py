"""What is read of campaigns, and what is done to them."""

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final

import attrs

from kataven_core import (
    CampaignId,
    Contact,
    ContactRows,
    ContactStatus,
    CustomFields,
    KatavenError,
    Operation,
    Problem,
    RejectedRow,
    rejects_csv,
)
from kataven_core.codec import campaign_members, contact_members
from kataven_core.ports import PAGE_SIZE, REJECTS_PAGE_SIZE

from .calls import Call
from .json import encode, encoded
from .messages import Answer, EventStream, Response
from .once import attempted
from .problems import HttpProblem, bad_request
from .shown import campaign_answer

log = logging.getLogger(__name__)

CSV: Final = "text/csv; charset=utf-8"
EVENT_STREAM: Final[Mapping[str, str]] = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",
}
_PAGE = re.compile(r"[0-9]{1,18}")
_MAX_PAYLOAD_BYTES: Final = 64 * 1024


async def list_campaigns(call: Call) -> Response:
    """Give all campaigns of the account, the newest first."""
    campaigns = [campaign_members(each) for each in await call.engine.campaigns(call.account_id)]
    return Response(body=encode({"campaigns": campaigns, "count": len(campaigns)}))


async def get_campaign(call: Call) -> Response:
    """Give one campaign."""
    return campaign_answer(call, (await call.engine.campaign(call.account_id, call.campaign_id)).campaign)


async def delete_campaign(call: Call) -> Response:
    """Remove a campaign that does not run."""
    await call.engine.delete(call.account_id, call.campaign_id)
    return Response(status=204)


def operation(name: Operation) -> Callable[[Call], Awaitable[Answer]]:
    """Give the handler of one operation."""

    async def operate(call: Call) -> Response:
        async with attempted(call, f"POST /campaigns/{call.campaign_id}/{name}") as attempt:
            payload = await _payload(call)
            if attempt and (before := attempt.replay(payload)):
                campaign, headers = before
                return campaign_answer(call, campaign, headers=headers)
            once = attempt.once(payload) if attempt else None
            return campaign_answer(call, await call.engine.operate(call.account_id, call.campaign_id, name, once=once))

    return operate


async def _payload(call: Call) -> bytes:
    """Read what came with an operation: it needs nothing, so that anything small is let pass."""
    payload = b""
    async for chunk in call.body:
        payload += chunk
        if len(payload) > _MAX_PAYLOAD_BYTES:
            sentence = f"this takes no body, and more than {_MAX_PAYLOAD_BYTES:,} bytes came: send none"
            raise HttpProblem(400, "body_too_large", sentence, is_last=True)
    return payload


async def list_contacts(call: Call) -> Response:
    """Give a page of a campaign's contacts, or of those in one status."""
    status, page = _status_and_page(call.request.query)
    found = await call.engine.contacts(call.account_id, call.campaign_id, status=status, page=page)
    return Response(
        body=encode(
            {
                "contacts": _shown(found.contacts),
                "page": found.page,
                "page_size": PAGE_SIZE,
                "total": found.total,
                "has_next": found.has_next,
            }
        )
    )


def _shown(contacts: Sequence[Contact]) -> object:
    if isinstance(contacts, ContactRows):
        return encoded(f"[{','.join(contacts.encoded())}]")
    return [contact_members(each, _fields) for each in contacts]


def _fields(fields: Mapping[str, str]) -> object:
    """Show custom fields as they are stored, without reading them."""
    return encoded(fields.encoded) if isinstance(fields, CustomFields) else dict(fields)


def _status_and_page(query: Sequence[tuple[str, str]]) -> tuple[ContactStatus | None, int]:
    given: dict[str, str] = {}
    problems = []
    for name, text in query:
        if name in given and name in {"status", "page"}:
            problems.append(Problem(name, f"{name} is given twice: give it once"))
        given[name] = text
    status, page = given.get("status"), given.get("page", "0")
    if status is not None and status not in set(ContactStatus):
        problems.append(Problem("status", f"status is {status[:40]!r}: write one of {', '.join(ContactStatus)}"))
    if not _PAGE.fullmatch(page):
        problems.append(Problem("page", f"page is {page[:40]!r}: write a whole number, 0 for the first page"))
    if problems:
        raise bad_request(problems, "invalid_query")
    return None if status is None else ContactStatus(status), int(page)


async def list_rejects(call: Call) -> Response:
    """Give the rows of a campaign's file that can't be dialled, as a CSV file."""
    first = await call.engine.rejects(call.account_id, call.campaign_id)
    headers = {"Content-Disposition": 'attachment; filename="rejects.csv"'}
    return Response(body=_rejects(call, first), content_type=CSV, headers=headers)


async def _rejects(call: Call, rows: Sequence[RejectedRow]) -> AsyncIterator[bytes]:
    """Yield the file a page at a time. ``ConnectionAbortedError`` where that can't go on: half of it is not all."""
    page = 0
    yield "".join(rejects_csv(rows)).encode()
    while len(rows) == REJECTS_PAGE_SIZE:
        page += 1
        try:
            rows = await call.engine.rejects(call.account_id, call.campaign_id, page=page)
        except KatavenError as error:
            log.warning("a file of rejected rows was broken off: %s", error.message)
            raise ConnectionAbortedError from error
        yield "".join([*rejects_csv(rows)][1:]).encode()


async def stream_events(call: Call) -> EventStream:
    """Show a campaign's progress as it happens, until it is over."""
    listener, first = await call.services.feeds.listen(call.caller.account_id, CampaignId(call.campaign_id))
    return EventStream(first=first.frames, listener=listener, is_whole=first.is_end, headers=EVENT_STREAM)


async def call_limits(call: Call) -> Response:
    """Give the caps of the account."""
    return Response(body=encode(attrs.asdict((await call.account()).caps)))
