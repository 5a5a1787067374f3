"""What a host that imports us sees: checked by mypy and by pyright, never run."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import assert_type

import kataven_core as kc
from kataven_adapters.numbers import national_parser
from kataven_core.codec import campaign_members, from_plain, to_plain

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(data: bytes) -> list[kc.Contact]:
    """Read a file."""
    parser = kc.ContactsParser(kc.CsvOptions(national=national_parser("US"), duplicates=kc.Duplicates.KEEP))
    batch = assert_type(parser.feed(data), kc.Batch)
    row = assert_type(batch.accepted[0], kc.AcceptedRow)
    assert_type(row.phone_number, kc.PhoneNumber)
    assert_type(batch.rejected[0].code, kc.RejectCode)
    assert_type(parser.header, kc.Header | None)
    return [
        kc.Contact(
            campaign_id=kc.CampaignId("c"),
            position=row.position,
            phone_number=row.phone_number,
            custom_fields=parser.custom_fields(row),
            updated_at=NOW,
        )
        for row in (*batch.accepted, *parser.finish().accepted)
    ]


def turn(view: kc.AccountView, reports: tuple[kc.Report, ...]) -> Mapping[kc.CampaignId, kc.Allowance]:
    """Make a decision and look at all of it."""
    commands = (kc.Operate(campaign_id=kc.CampaignId("c"), operation=kc.Operation.START),)
    decision = assert_type(kc.decide(view, kc.Inputs(reports=reports, commands=commands), NOW), kc.Decision)
    for order in decision.orders:
        assert_type(order.to, kc.PhoneNumber)
        assert_type(order.variables, Mapping[str, str])
    for change in decision.contacts:
        assert_type(change.before, kc.Contact)
    for attempt in decision.attempts:
        assert_type(attempt.before, kc.Attempt | None)
    for answer in decision.answers:
        assert_type(answer, kc.Campaign | kc.Account | kc.KatavenError)
    return decision.holds


def settings() -> kc.CampaignSettings:
    """Choose settings, or learn what is wrong with them."""
    try:
        return kc.campaign_settings(now=NOW, name="Reminders", agent_id="a", phone_number_id="n")
    except kc.InvalidValue as error:
        for problem in error.problems:
            assert_type(problem.field, str)
        raise


def keep(account: kc.Account, campaign: kc.Campaign) -> dict[str, object]:
    """Turn values into plain forms and back."""
    assert_type(from_plain(to_plain(account), kc.Account), kc.Account)
    return campaign_members(campaign)
