"""What phones heard, the API says and the file holds, against the promises: every sentence names one that is broken."""

import asyncio
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from kataven_adapters.sqlite import SqliteStore
from kataven_core import AccountId, CampaignId

CONTACTS: Final = 150
CAMPAIGN_CAP: Final = 50
RETRIES: Final = 2
RETRY_DELAY_S: Final = 1


class Pause(NamedTuple):
    """A time in which nobody of a campaign may be dialled: from an answer until something else was asked for."""

    campaign_id: str
    since: datetime
    until: datetime


class Contact(NamedTuple):
    """What the API says of a contact in the end."""

    campaign_id: str
    number: str
    status: str
    attempts: int


def judge(
    events: Iterable[dict[str, str]], contacts: Sequence[Contact], pauses: Sequence[Pause], accepted: int = CONTACTS
) -> Iterator[str]:
    """Say which promise does not hold, in the order in which phones heard it; each campaign had so many accepted."""
    rings: Counter[str] = Counter()
    dials: Counter[tuple[str, str]] = Counter()
    answered: set[tuple[str, str]] = set()
    ended_at: dict[tuple[str, str], datetime] = {}
    live: dict[str, dict[str, str]] = {}
    for event in events:
        attempt, contact = event["attempt_id"], (event["campaign_id"], event["to"])
        at = datetime.fromisoformat(event["at"])
        if event["event"] == "ring":
            rings[attempt] += 1
            dials[contact] += 1
            yield from _judge_ring(event, live.values(), at, ended_at.get(contact), pauses)
            live[attempt] = event
        elif event["event"] == "answer":
            answered.add(contact)
        else:
            live.pop(attempt, None)
            ended_at[contact] = at
    yield from (f"I2: {attempt} rang {count} times" for attempt, count in rings.items() if count > 1)
    yield from (f"I7: {attempt} never ended" for attempt in live)
    yield from _judge_contacts(contacts, dials, answered)
    for campaign_id, count in Counter(each.campaign_id for each in contacts).items():
        if count != accepted:
            yield f"I6: {count} contacts of {campaign_id}, of {accepted} that were accepted"


def _judge_ring(
    ring: dict[str, str],
    live: Iterable[dict[str, str]],
    at: datetime,
    ended_at: datetime | None,
    pauses: Sequence[Pause],
) -> Iterator[str]:
    others, attempt = list(live), ring["attempt_id"]
    if any(each["to"] == ring["to"] for each in others):
        yield f"I3: {attempt} rings a number that is in a call"
    if sum(each["campaign_id"] == ring["campaign_id"] for each in others) >= CAMPAIGN_CAP:
        yield f"I1: {attempt} is one more than its campaign's {CAMPAIGN_CAP}"
    if len(others) >= 2 * CAMPAIGN_CAP:
        yield f"I1: {attempt} is one more than the account's {2 * CAMPAIGN_CAP}"
    if ended_at and at < ended_at + timedelta(seconds=RETRY_DELAY_S, milliseconds=-1):
        yield f"I5: {attempt} rings {(at - ended_at).total_seconds()} s after the last call's end"
    for pause in pauses:
        if pause.campaign_id == ring["campaign_id"] and pause.since < at < pause.until:
            yield f"I4: {attempt} rings at {at}, and its campaign was held since {pause.since}"


def _judge_contacts(
    contacts: Sequence[Contact], dials: Counter[tuple[str, str]], answered: set[tuple[str, str]]
) -> Iterator[str]:
    for contact in contacts:
        name = contact.campaign_id, contact.number
        if contact.status not in {"completed", "failed", "cancelled"}:
            yield f"lost: a contact of {contact.campaign_id} is {contact.status} in the end"
        if (contact.status == "completed") != (name in answered):
            yield f"lost: a contact of {contact.campaign_id} is {contact.status}, answered: {name in answered}"
        if contact.attempts != dials[name]:
            yield f"I8: {dials[name]} calls of a contact of {contact.campaign_id}, and {contact.attempts} are known"
        if dials[name] > 1 + RETRIES:
            yield f"I3: a contact of {contact.campaign_id} was dialled {dials[name]} times"
    if strangers := dials.keys() - {(each.campaign_id, each.number) for each in contacts}:
        yield f"I11: {len(strangers)} dialled who are in no campaign"


def held_in(file: Path) -> Iterator[str]:
    """Look into the file when all is over: nothing is held, and every counter is what the attempts come to."""
    yield from integrity(file)

    async def look() -> list[str]:
        async with SqliteStore(file) as store:
            wrong = [f"I7: {each.id} is open in the end" for each in (await store.agenda()).open_attempts]
            for campaign in await store.campaigns(AccountId("acme")):
                counters = (await store.campaign(AccountId("acme"), CampaignId(campaign.id))).counters
                outcomes = sum(count for outcome, count in counters.outcomes.items() if outcome != "unsent")
                if counters.attempts != outcomes or counters.calls_in_flight:
                    wrong.append(f"I8: {campaign.id} counts {counters.attempts} attempts and {outcomes} outcomes")
            return wrong

    yield from asyncio.run(look())


def integrity(file: Path) -> Iterator[str]:
    """Have SQLite look at its file."""
    with closing(sqlite3.connect(file)) as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    if said != "ok":
        yield f"the file is damaged: {said}"


def heard(log: Path) -> Iterator[dict[str, str]]:
    """Give what phones heard."""
    with log.open() as lines:
        yield from map(json.loads, lines)


def most_at_once(events: Iterable[dict[str, str]]) -> dict[str, int]:
    """Give how many calls there were at once, of a campaign at most and of the account at most."""
    up: dict[str, set[str]] = defaultdict(set)
    most = {"campaign": 0, "account": 0}
    for event in events:
        calls = up[event["campaign_id"]]
        (calls.add if event["event"] != "end" else calls.discard)(event["attempt_id"])
        most["campaign"] = max(most["campaign"], len(calls))
        most["account"] = max(most["account"], sum(map(len, up.values())))
    return most
