"""Uploads on their way in: from staged rows to a campaign."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

from typing import Final

from kataven_core import CampaignId, ContactStatus
from kataven_core.ports import REJECTS_PAGE_SIZE

from .host import Host
from .samples import ACME, a_reject, a_row, create, rows, rows_with
from .store_suite import StoreSuite

A: Final = CampaignId("a")
HOSTILE: Final = (
    "",
    " ",
    "'; DROP TABLE contacts; --",
    'say "hi", \\ and \\u0041',
    "{}[]:,",
    "line\nfeed\r\n\ttab",
    "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\N{NEXT LINE}",
    "\N{ZERO WIDTH JOINER}\N{RIGHT-TO-LEFT OVERRIDE}\N{ZERO WIDTH NO-BREAK SPACE}",
    "e\N{COMBINING ACUTE ACCENT} is not é",
    "日本語 עברית 👩‍👩‍👧",
    "\x01\x1f\x7f\x80",
    "null",
    "0123",
    "1e5",
    "%s %(x)s :name ?1 ${x}",
    "x" * 10_000,
)
"""Texts that a careless store changes."""


class StagingContract(StoreSuite):
    """What was staged, before and after its campaign is made."""

    async def test_staged_rows_are_in_no_list_and_on_no_agenda(self, host: Host) -> None:
        await host.stage("a", rows(3), [a_reject(2)])
        agenda = await host.store.agenda()
        assert [*await host.store.campaigns(ACME)] == []
        assert (*agenda.open_attempts, *agenda.campaigns, *agenda.deleted) == ()

    async def test_rows_may_be_staged_for_an_account_that_is_put_later(self, bare: Host) -> None:
        await bare.stage("a", rows(2))
        assert (await bare.store.agenda()).campaigns == ()

    async def test_rows_of_many_steps_become_one_campaign_in_file_order(self, host: Host) -> None:
        await host.create("a", 2_500)
        contacts = await host.contacts("a")
        assert [each.position for each in contacts] == [*range(2_500)]
        assert [each.phone_number for each in contacts] == [row.phone_number for row in rows(2_500)]

    async def test_a_contact_begins_as_it_was_staged(self, host: Host) -> None:
        host.wait(1.000001)
        await host.create("a", [a_row(0, 7, {"name": "Zoë"})])
        (contact,) = await host.contacts("a")
        assert (contact.id, contact.phone_number, dict(contact.custom_fields)) == (
            "a.0",
            a_row(0, 7)[1],
            {"name": "Zoë"},
        )
        assert (contact.status, contact.attempts, contact.claims) == (ContactStatus.PENDING, 0, 0)
        assert (contact.last_outcome, contact.last_attempt_at, contact.next_attempt_at) == (None, None, None)
        assert contact.updated_at == host.now

    async def test_rows_of_two_uploads_do_not_mix(self, host: Host) -> None:
        await host.stage("a", rows_with([1, 2]))
        await host.create("b", rows_with([3]))
        await host.turn(create("a", 2))
        assert [each.phone_number for each in await host.contacts("a")] == [row[1] for row in rows_with([1, 2])]
        assert [each.phone_number for each in await host.contacts("b")] == [row[1] for row in rows_with([3])]

    async def test_a_campaign_may_have_no_contacts(self, host: Host) -> None:
        await host.create("a", 0)
        assert await host.contacts("a") == []

    async def test_custom_fields_are_kept_to_the_letter(self, host: Host) -> None:
        fields = {f"field {index}": text for index, text in enumerate(HOSTILE)}
        await host.create("a", [a_row(0, fields=fields)])
        assert dict((await host.contacts("a"))[0].custom_fields) == fields

    async def test_names_of_custom_fields_are_kept_to_the_letter(self, host: Host) -> None:
        await host.create("a", [a_row(0, fields=dict.fromkeys(HOSTILE, "x"))])
        assert [*(await host.contacts("a"))[0].custom_fields] == [*HOSTILE]

    async def test_custom_fields_are_kept_in_their_order(self, host: Host) -> None:
        names = ["b", "a", "10", "9", "B", "ä"]
        await host.begin("a", [a_row(0, fields=dict.fromkeys(names, ""))])
        await host.dial("a")
        assert [*(await host.contacts("a"))[0].custom_fields] == names

    async def test_a_contact_may_have_no_custom_fields(self, host: Host) -> None:
        await host.create("a", [a_row(0, fields={})])
        assert dict((await host.contacts("a"))[0].custom_fields) == {}

    async def test_rejected_rows_are_kept_by_line_and_given_in_pages(self, host: Host) -> None:
        rejects = [a_reject(2 * line, HOSTILE[line % len(HOSTILE)]) for line in range(1, 2_501)]
        await host.stage("a", rows(1), rejects)
        await host.turn(create("a", 1))
        pages = [[*await host.store.rejects(ACME, A, page=page)] for page in range(4)]
        assert [len(page) for page in pages] == [REJECTS_PAGE_SIZE, REJECTS_PAGE_SIZE, 500, 0]
        assert [row for page in pages for row in page] == rejects

    async def test_a_file_without_rejects_has_none(self, host: Host) -> None:
        await host.create("a")
        assert [*await host.store.rejects(ACME, A)] == []

    async def test_a_creation_that_was_refused_leaves_the_rows_staged(self, host: Host) -> None:
        await host.stage("a", rows(2))
        (refusal,) = (await host.turn(create("a", 2, agent_id="nobody"))).answers
        assert isinstance(refusal, Exception)
        await host.turn(create("a", 2))
        assert len(await host.contacts("a")) == 2
