"""Commands second, so that a pause wins over a claim."""

from collections.abc import Callable
from typing import assert_never

from kataven_core.account import Account
from kataven_core.campaign import Campaign, create, operate
from kataven_core.errors import CommandRefused, InvalidValue, KatavenError, NotFound, Problem
from kataven_core.receipts import Once

from .turn import CampaignTurn, Turn
from .view import Command, CreateCampaign, Operate, PutAccount


def obey(turn: Turn, commands: tuple[Command, ...]) -> None:
    """Answer each command in order: with the new value, or with the error that says why nothing changed."""
    for command in commands:
        try:
            turn.answers.append(_answer(turn, command))
        except KatavenError as error:
            turn.answers.append(error)


def _answer(turn: Turn, command: Command) -> Campaign | Account:
    match command:
        case PutAccount():
            return _put_account(turn, command.account)
        case CreateCampaign():
            return _do_once(turn, command.once, lambda: _create(turn, command))
        case Operate():
            return _do_once(turn, command.once, lambda: _operate(turn, command))
        case _:
            assert_never(command)


def _do_once(turn: Turn, once: Once | None, do: Callable[[], Campaign]) -> Campaign:
    """Do it, or give the answer again that is still remembered; what is refused is not remembered."""
    if once is None:
        return do()
    receipt = turn.receipts.get(once.name)
    if receipt is None:
        answer = do()
        turn.note(once, answer)
        return answer
    if receipt.once.fingerprint != once.fingerprint:
        sentence = f"the key {once.key!r} was used for another payload: use a new key for a new request"
        raise CommandRefused("idempotency_key_reused", sentence)
    return receipt.answer


def _account(turn: Turn) -> Account:
    if turn.account is None:
        raise NotFound("account")
    return turn.account


def _put_account(turn: Turn, account: Account) -> Account:
    if account.id != turn.account_id:
        problem = Problem("id", f"id is {account.id!r}, and this is the account {turn.account_id!r}: give its own id")
        raise InvalidValue.of("invalid_account", [problem])
    turn.account = account
    return account


def _create(turn: Turn, command: CreateCampaign) -> Campaign:
    if command.campaign_id in turn.campaigns:
        sentence = f"cannot create the campaign {command.campaign_id!r}: it exists; choose another id"
        raise CommandRefused("campaign_exists", sentence)
    moved = create(
        command.settings,
        campaign_id=command.campaign_id,
        account=_account(turn),
        total=command.total,
        created_by=command.created_by,
        now=turn.now,
    )
    campaign = turn.campaigns[command.campaign_id] = CampaignTurn.created(moved.campaign)
    turn.move(campaign, moved)
    return moved.campaign


def _operate(turn: Turn, command: Operate) -> Campaign:
    campaign = turn.campaigns.get(command.campaign_id)
    if campaign is None or campaign.campaign.is_deleted:
        raise NotFound("campaign")
    moved = operate(
        campaign.campaign,
        command.operation,
        counters=campaign.tally.counters(),
        account=_account(turn),
        reserved=turn.reserved,
        now=turn.now,
    )
    turn.move(campaign, moved)
    return moved.campaign
