"""What a dial came to: for people, for programs, and as files."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Final

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.output import one_line, rejected_line, write_lines, write_rejects
from kataven_core import Contact, ContactStatus, Outcome

from .plan import Plan, Result

_SHOWN: Final = 5
"""Rejected rows that are printed; all of them are in a file."""
_MINUTE_S: Final = 60


def print_report(result: Result, plan: Plan) -> None:
    """Write the files and print the result, which is printed even where a file can't be written."""
    try:
        if result.rejected:
            write_rejects(plan.rejects, result.rejected)
        if plan.results and result.contacts is not None:
            write_lines("--results", plan.results, _results(result.contacts))
    except CommandFailure:
        _print(result, plan)
        raise
    _print(result, plan)


def _print(result: Result, plan: Plan) -> None:
    if plan.is_json:
        print(json.dumps(_members(result), ensure_ascii=False))
    else:
        print(*map(one_line, _lines(result, plan)), sep="\n")


def _results(contacts: Iterable[Contact]) -> Iterator[str]:
    """Yield the lines of the results file: number, status, outcome, attempts."""
    text = StringIO()
    writer = csv.writer(text)
    rows = ((each.phone_number, each.status, each.last_outcome or "", each.attempts) for each in contacts)
    for row in (("phone_number", "status", "outcome", "attempts"), *rows):
        writer.writerow(row)
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _members(result: Result) -> dict[str, object]:
    counters = result.record.counters
    return {
        "campaign_id": result.record.campaign.id,
        "status": result.record.campaign.status.value,
        "contacts": _contacts(result),
        "outcomes": {outcome.value: count for outcome, count in _outcomes(result)},
        "attempts": counters.attempts,
        "duration_s": _duration_s(result),
        "rejected": None if result.rejected is None else len(result.rejected),
    }


def _contacts(result: Result) -> dict[str, int]:
    return {status.value: getattr(result.record.counters, status.value) for status in ContactStatus}


def _outcomes(result: Result) -> list[tuple[Outcome, int]]:
    """Give outcomes and how many attempts had them, the commonest first."""
    return sorted(result.record.counters.outcomes.items(), key=lambda each: (-each[1], each[0]))


def _duration_s(result: Result) -> float:
    campaign = result.record.campaign
    begin, end = campaign.started_at, campaign.completed_at or result.ended_at
    return round((end - begin).total_seconds(), 3) if begin else 0.0


def _lines(result: Result, plan: Plan) -> Iterator[str]:
    counters = result.record.counters
    on = " on the simulated line: no phone rang" if plan.is_simulated else ""
    yield f"{plan.file}: {result.record.campaign.status} in {_duration(_duration_s(result))}{on}"
    yield f"{counters.total:>9,}  {_some(counters.total, 'contact')}"
    yield from (f"{count:>13,}  {status}" for status, count in _contacts(result).items() if count)
    yield f"{counters.attempts:>9,}  {_some(counters.attempts, 'attempt')}"
    yield from (f"{count:>13,}  {outcome}" for outcome, count in _outcomes(result))
    if counters.calls_in_flight:
        yield f"{counters.calls_in_flight:>13,}  not known yet"
    if result.rejected:
        count = len(result.rejected)
        yield f"{count:>9,}  {_some(count, 'row')} rejected, {'it is' if count == 1 else 'all are'} in {plan.rejects}"
        yield from (f"  {rejected_line(plan.file, row)}" for row in result.rejected[:_SHOWN])
        if len(result.rejected) > _SHOWN:
            yield f"  ... and {len(result.rejected) - _SHOWN:,} more"
    if result.rejected is None:
        yield "there was no time to read which rows were rejected; they are kept in the store"
    if plan.results and result.contacts is None:
        yield f"there was no time to write {plan.results}; what became of each contact is kept in the store"
    elif plan.results:
        yield f"what became of each contact is in {plan.results}"


def _some(count: int, thing: str) -> str:
    return thing if count == 1 else f"{thing}s"


def _duration(seconds: float) -> str:
    """Say how long it took: in seconds up to a minute, then as hours, minutes and seconds."""
    return f"{seconds:.1f} s" if seconds < _MINUTE_S else str(timedelta(seconds=round(seconds)))
