"""The accounts that a server knows, and their keys; they are read again while it runs."""

import asyncio
import logging
from collections.abc import Iterator, Sequence

from attrs import evolve

from kataven_adapters.cli.output import counted, one_line
from kataven_adapters.config import AccountConfig, load_config
from kataven_adapters.http import ApiKey, ApiKeys
from kataven_core import Account, AccountId, InvalidValue, KatavenError
from kataven_core.runtime import Engine

log = logging.getLogger(__name__)


class Accounts:
    """Who may call, as the configuration ``file`` says; without a file they stay as they are."""

    def __init__(self, configured: Sequence[AccountConfig], file: str | None) -> None:
        self._file = file
        self._put = _by_id(configured)
        self.keys = ApiKeys(_keys(configured))

    @property
    def values(self) -> Sequence[Account]:
        """Give them as the engine knows them."""
        return tuple(self._put.values())

    async def read_again(self, engine: Engine) -> None:
        """Put what the file says by now; a file that can't be used changes nothing.

        Keys that are gone stop working first, new ones work at last. An account that is gone keeps its campaigns, and
        they dial nobody.
        """
        if self._file is None:
            log.warning("the accounts stay as they are: there is no configuration to read again")
            return
        try:
            config = load_config(self._file)
        except InvalidValue as error:
            log.error("the accounts stay as they are: %s", one_line(error.message))  # noqa: TRY400 - the sentence is all
            return
        for warning in config.warnings:
            log.warning("%s", warning)
        try:
            await self._replace(config.accounts, engine)
        except KatavenError as error:
            log.error("the accounts are half read: %s; send SIGHUP again", error.message)  # noqa: TRY400 - the same
            return
        log.info("the accounts are read again: %s", counted(len(self._put), "account"))

    async def _replace(self, configured: Sequence[AccountConfig], engine: Engine) -> None:
        wanted, before = _by_id(configured), self._put
        self.keys.replace(key for key in _keys(configured) if key.account_id in before)
        held = [
            evolve(account, caps=evolve(account.caps, concurrent_max=0))
            for name, account in before.items()
            if name not in wanted
        ]
        self._put = before | wanted  # should it fail halfway, all of them are known the next time
        await asyncio.gather(*(engine.put_account(account) for account in (*wanted.values(), *held)))
        self._put = wanted
        self.keys.replace(_keys(configured))


def _by_id(configured: Sequence[AccountConfig]) -> dict[AccountId, Account]:
    accounts = [each.account() for each in configured]
    return {account.id: account for account in accounts}


def _keys(configured: Sequence[AccountConfig]) -> Iterator[ApiKey]:
    for account in configured:
        for key in account.api_keys:
            yield ApiKey(key.sha256, AccountId(account.id), key.id)
