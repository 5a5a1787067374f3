"""One account never reads, changes or infers what is another's; what is unseen is unseen the same for everybody."""

# ruff: noqa: D102, PLR2004, S101 - tests assert on plain numbers, and their names are their docstrings

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

import pytest

from kataven_core import AccountId, CampaignId, CommandRefused, NotFound
from kataven_core.ports import Store

from .host import Host
from .samples import ACME, GLOBEX, NOON, create, ended, operate, put, rows_with
from .store_suite import StoreSuite

Read = Callable[[Store, AccountId, CampaignId], Awaitable[object]]
READS: Final[Mapping[str, Read]] = MappingProxyType(
    {
        "campaign": lambda store, account, name: store.campaign(account, name),
        "contacts": lambda store, account, name: store.contacts(account, name),
        "rejects": lambda store, account, name: store.rejects(account, name),
        "dials_since": lambda store, account, name: store.dials_since(account, name, NOON),
    }
)
"""What can be read of one campaign."""


class UnseenContract(StoreSuite):
    """The campaigns that are not there for any read."""

    @pytest.fixture(params=READS)
    def read(self, request: pytest.FixtureRequest) -> Read:
        """Give one read after the other."""
        return READS[request.param]

    async def test_a_campaign_that_never_was_is_not_found(self, host: Host, read: Read) -> None:
        with pytest.raises(NotFound) as raised:
            await read(host.store, ACME, CampaignId("a"))
        assert (raised.value.code, raised.value.message) == ("not_found", "no such campaign in this account")

    async def test_no_campaign_is_found_in_an_account_that_never_was(self, bare: Host, read: Read) -> None:
        await _is_unseen(bare, read, ACME)

    async def test_a_campaign_of_another_account_is_not_found(self, host: Host, read: Read) -> None:
        await host.begin("a", 2)
        await host.dial("a")
        await _is_unseen(host, read, GLOBEX)

    async def test_a_campaign_that_is_only_staged_is_not_found(self, host: Host, read: Read) -> None:
        await host.stage("a", rows_with([1]))
        await _is_unseen(host, read, ACME)

    async def test_a_deleted_campaign_is_not_found(self, host: Host, read: Read) -> None:
        await host.create("a")
        await host.turn(operate("a", "delete"))
        await _is_unseen(host, read, ACME)

    async def test_a_discarded_campaign_is_not_found(self, host: Host, read: Read) -> None:
        await host.create("a")
        await host.turn(operate("a", "delete"))
        await host.store.discard(ACME, CampaignId("a"))
        await _is_unseen(host, read, ACME)


async def _is_unseen(host: Host, read: Read, account_id: AccountId) -> None:
    with pytest.raises(NotFound) as raised:
        await read(host.store, account_id, CampaignId("a"))
    assert (raised.value.code, raised.value.message) == ("not_found", "no such campaign in this account")


class TenantContract(StoreSuite):
    """What one account does, and another keeps."""

    async def test_the_campaigns_of_another_account_are_not_listed(self, host: Host) -> None:
        await host.create("a")
        await host.create("g", account_id=GLOBEX)
        assert [each.id for each in await host.store.campaigns(GLOBEX)] == ["g"]

    async def test_an_account_that_never_was_has_no_campaigns(self, host: Host) -> None:
        assert [*await host.store.campaigns(AccountId("nobody"))] == []

    async def test_a_command_for_the_campaign_of_another_account_is_answered_as_if_it_never_was(
        self, host: Host
    ) -> None:
        await host.begin("a")
        before = await host.campaign("a")
        foreign = await host.turn(operate("a", "stop"), account_id=GLOBEX)
        unknown = await host.turn(operate("nobody", "stop"), account_id=GLOBEX)
        assert [repr(each) for each in foreign.answers] == [repr(each) for each in unknown.answers]
        assert await host.campaign("a") == before

    async def test_a_report_from_another_account_changes_nothing(self, host: Host) -> None:
        await host.begin("a")
        await host.dial("a")
        decision = await host.turn(ended("a.0.1"), account_id=GLOBEX)
        assert decision.unrecognized == ("a.0.1",)
        assert [*await host.open_attempts()] == ["a.0.1"]

    async def test_looking_at_the_campaign_of_another_account_dials_nobody(self, host: Host) -> None:
        await host.begin("a")
        assert await host.dial("a", account_id=GLOBEX) == []

    async def test_what_another_account_has_staged_is_not_discarded(self, host: Host) -> None:
        await host.stage("a", rows_with([1, 2]))
        await host.store.discard(GLOBEX, CampaignId("a"))
        await host.turn(create("a", 2))
        assert len(await host.contacts("a")) == 2

    async def test_an_id_is_staged_by_one_account_only_and_by_nobody_once_it_is_a_campaigns(self, host: Host) -> None:
        await host.stage("a", rows_with([1]))
        for account in (GLOBEX, ACME):
            with pytest.raises(CommandRefused) as raised:
                await host.store.stage(account, CampaignId("a"), rows_with([2]))
            assert raised.value.code == "campaign_exists"
            if account == GLOBEX:
                await host.turn(create("a", 1))
        assert [each.phone_number for each in await host.contacts("a")] == [rows_with([1])[0].phone_number]

    async def test_a_deleted_campaign_of_another_account_is_not_discarded(self, host: Host) -> None:
        await host.create("a")
        await host.turn(operate("a", "delete"))
        await host.store.discard(GLOBEX, CampaignId("a"))
        assert [*(await host.store.agenda()).deleted] == [(ACME, "a")]

    async def test_what_one_account_has_used_up_holds_no_other_back(self, host: Host) -> None:
        await host.turn(put(calls_per_minute=2))
        await host.turn(put(GLOBEX, calls_per_minute=2), account_id=GLOBEX)
        await host.begin("a", 2)
        await host.begin("g", 2, account_id=GLOBEX)
        await host.dial("a")
        assert await host.dial("g", account_id=GLOBEX) == ["g.0.1", "g.1.1"]
