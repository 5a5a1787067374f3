"""Accounts with what they have used up, and the receipts of what they asked for."""

import json
from functools import lru_cache
from typing import Final

from kataven_core import (
    Account,
    AccountId,
    AccountUsage,
    Campaign,
    Once,
    Receipt,
)
from kataven_core.codec import from_plain, to_plain

from .cells import Row, moment, stamp

USAGE: Final = ("minute", "day", "calls_this_minute", "calls_today", "seconds_today")


def account_text(account: Account) -> str:
    """Give an account as it is stored."""
    return json.dumps(to_plain(account), ensure_ascii=False)


@lru_cache(maxsize=1024)
def account_from(text: str) -> Account:
    """Give a stored account. The same text is the same account, so it is read once."""
    return from_plain(json.loads(text), Account)


def usage_row(usage: AccountUsage) -> Row:
    """Give what is stored of a usage; the calls in flight are counted from the open attempts instead."""
    return (
        stamp(usage.minute),
        stamp(usage.day),
        usage.calls_this_minute,
        usage.calls_today,
        usage.seconds_today,
    )


def usage_from(row: Row, calls_in_flight: int) -> AccountUsage:
    """Give a stored usage."""
    return AccountUsage(
        minute=moment(row[0]),
        day=moment(row[1]),
        calls_in_flight=calls_in_flight,
        calls_this_minute=row[2],
        calls_today=row[3],
        seconds_today=row[4],
    )


RECEIPT: Final = ("account_id", "scope", "key", "fingerprint", "note", "answer", "at")


def receipt_row(account_id: AccountId, receipt: Receipt) -> Row:
    """Give a receipt of an account in the order of ``RECEIPT``."""
    once = receipt.once
    answer = json.dumps(to_plain(receipt.answer), ensure_ascii=False)
    return account_id, once.scope, once.key, once.fingerprint, once.note, answer, stamp(receipt.at)


def receipt_from(row: Row) -> Receipt:
    """Give a stored receipt."""
    _, scope, key, fingerprint, note, answer, at = row
    return Receipt(
        once=Once(scope=scope, key=key, fingerprint=fingerprint, note=note),
        answer=from_plain(json.loads(answer), Campaign),
        at=moment(at),
    )
