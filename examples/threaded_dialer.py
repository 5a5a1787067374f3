"""A whole dialer on the pure core alone: threads, a queue and a made-up phone. No phone rings.

    python examples/threaded_dialer.py examples/contacts.csv

The core decides. This file owns what the core leaves to its host: the clock, the store (here: dicts), the line (here:
chance) and the loop that brings them together. docs/howto/decide-on-the-core-alone.md goes through it step by step.
"""

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

import kataven_core as kc

ME, CAMPAIGN, MAX_CALLS = kc.AccountId("me"), kc.CampaignId("demo"), 12
Inbox = SimpleQueue[kc.Report | kc.Command]


def clock() -> datetime:
    """Read the time; the core never does."""
    return datetime.now(UTC)


class Desk:
    """The store: all that is known of one account. A real one does ``view`` and ``write`` in one transaction."""

    def __init__(self) -> None:
        self.account: kc.Account | None = None
        self.usage = kc.AccountUsage.empty(clock())
        self.campaigns: dict[kc.CampaignId, kc.Campaign] = {}
        self.counters: dict[kc.CampaignId, kc.Counters] = {}
        self.contacts: dict[kc.ContactId, kc.Contact] = {}
        self.attempts: dict[kc.AttemptId, kc.Attempt] = {}

    def view(self, now: datetime) -> kc.AccountView:
        """Read what a decision looks at."""
        running = [each for each in self.campaigns.values() if each.status is kc.CampaignStatus.RUNNING]
        return kc.AccountView(
            account_id=ME,
            account=self.account,
            usage=self.usage,
            reserved=sum(each.max_concurrent_calls for each in running),
            campaigns=tuple(
                kc.CampaignView(
                    campaign=each,
                    counters=self.counters[each.id],
                    candidates=self.due(each, now),
                    next_retry_at=self.next_retry_at(each, now),
                )
                for each in self.campaigns.values()
            ),
            attempts=self.attempts,
            contacts=self.contacts,
            busy_numbers=frozenset(each.phone_number for each in self.attempts.values() if each.is_open),
        )

    def due(self, campaign: kc.Campaign, now: datetime) -> tuple[kc.Contact, ...]:
        """Give the contacts that may be dialled: retries by time, then fresh ones in file order."""
        due = [each for each in self.contacts.values() if each.campaign_id == campaign.id and each.is_due(now)]
        due.sort(key=lambda each: (each.next_attempt_at is None, each.next_attempt_at or now, each.position))
        return tuple(due)

    def next_retry_at(self, campaign: kc.Campaign, now: datetime) -> datetime | None:
        """Give the time of the earliest retry that is still to come."""
        times = (each.next_attempt_at for each in self.contacts.values() if each.campaign_id == campaign.id)
        return min((at for at in times if at and at > now), default=None)

    def write(self, decision: kc.Decision, now: datetime) -> None:
        """Write all that a decision changes."""
        self.account, self.usage = decision.account or self.account, decision.usage
        self.campaigns |= {each.id: each for each in decision.campaigns}
        self.counters |= {each.campaign_id: each for each in decision.counters}
        self.attempts |= {change.after.id: change.after for change in decision.attempts}
        self.contacts |= {change.after.id: change.after for change in decision.contacts}
        for contact in [each for each in self.contacts.values() if each.campaign_id in decision.cancelled]:
            if contact.status is kc.ContactStatus.PENDING:
                self.contacts[contact.id] = kc.cancel_contact(contact, now)


def ring(order: kc.Order, inbox: Inbox) -> None:
    """Stand in for the phone network: one call from dialling to its end, told as a line would report it."""
    chance, attempt = random.Random(order.attempt_id), order.attempt_id
    inbox.put(kc.Placed(attempt_id=attempt, at=clock(), call_id=f"made-up-{attempt}"))
    time.sleep(chance.uniform(0.02, 0.1))
    outcome = kc.Outcome(
        chance.choices(["answered", "no_answer", "busy", "machine", "declined"], [55, 22, 11, 8, 4])[0]
    )
    if outcome is kc.Outcome.ANSWERED:
        inbox.put(kc.Answered(attempt_id=attempt, at=clock()))
        time.sleep(chance.uniform(0.05, 0.4))
    inbox.put(kc.Ended(attempt_id=attempt, at=clock(), outcome=outcome))


def read_contacts(path: Path, now: datetime) -> Iterator[kc.Contact]:
    """Read the file a chunk at a time; tell which rows can't be dialled."""
    parser = kc.ContactsParser()
    with path.open("rb") as file:
        for batch in (*map(parser.feed, iter(lambda: file.read(65536), b"")), parser.finish()):
            for bad in batch.rejected:
                print(f"{path}:{bad.line}: {bad.message}", file=sys.stderr)
            for row in batch.accepted:
                yield kc.Contact(
                    campaign_id=CAMPAIGN,
                    position=row.position,
                    phone_number=row.phone_number,
                    custom_fields=parser.custom_fields(row),
                    updated_at=now,
                )


def drain(inbox: Inbox, wait_s: float | None) -> kc.Inputs:
    """Wait for something to happen, then take everything that waits: it is settled in one decision."""
    taken: list[kc.Report | kc.Command] = []
    try:
        taken.append(inbox.get(timeout=wait_s))
        while True:
            taken.append(inbox.get_nowait())
    except Empty:
        reports = tuple(each for each in taken if not isinstance(each, kc.Command))
        return kc.Inputs(reports=reports, commands=tuple(each for each in taken if isinstance(each, kc.Command)))


def until_due_s(decision: kc.Decision, now: datetime) -> float | None:
    """Say when time alone moves something: a retry comes due, a cap opens. None: only a report does."""
    if decision.again:
        return 0.0
    return min((max((at - now).total_seconds(), 0.0) for at in decision.wakes.values()), default=None)


def run(desk: Desk, inbox: Inbox) -> None:
    """Decide, write, dial, until the campaign is over and its last call has ended."""
    wait_s: float | None = None
    with ThreadPoolExecutor(max_workers=MAX_CALLS) as phones:
        while CAMPAIGN not in desk.campaigns or not is_through(desk):
            inputs = drain(inbox, wait_s)
            now = clock()
            decision = kc.decide(desk.view(now), inputs, now)
            desk.write(decision, now)
            for order in decision.orders:  # only now that it is written down
                phones.submit(ring, order, inbox)
            for answer in decision.answers:
                if isinstance(answer, kc.KatavenError):
                    print(f"\n{answer}", file=sys.stderr)
            wait_s = until_due_s(decision, now)
            show(desk.counters[CAMPAIGN])


def is_through(desk: Desk) -> bool:
    """Tell whether the campaign is over and its last call has ended."""
    return desk.campaigns[CAMPAIGN].is_over and not desk.counters[CAMPAIGN].calls_in_flight


def show(counters: kc.Counters) -> None:
    """Draw the progress, over itself on a terminal."""
    done = counters.total - counters.pending - counters.in_progress
    bar = "#" * (30 * done // counters.total)
    text = f"[{bar:<30}] {done}/{counters.total} done, {counters.calls_in_flight:2} calls up, {counters.attempts} dials"
    if sys.stderr.isatty() or done == counters.total:
        print(f"\r{text}", end="", file=sys.stderr, flush=True)


def summarize(desk: Desk) -> None:
    """Print who was reached, and what became of the others."""
    reached = [each for each in desk.contacts.values() if each.status is kc.ContactStatus.COMPLETED]
    print(f"\n\nReached {len(reached)} of {len(desk.contacts)}:")
    for each in reached:
        dials = "1 dial" if each.attempts == 1 else f"{each.attempts} dials"
        print(f"  {each.phone_number:<16} {each.custom_fields.get('name', ''):<24} {each.last_outcome}, {dials}")
    ends = Counter(f"{each.status} ({each.last_outcome or 'never dialled'})" for each in desk.contacts.values())
    print("\n" + "\n".join(f"{count:5} {end}" for end, count in ends.most_common()))


def main(path: Path) -> int:
    """Dial a file; 0 when every contact has come to its end."""
    desk, now = Desk(), clock()
    inbox: Inbox = SimpleQueue()
    try:
        desk.contacts = {each.id: each for each in read_contacts(path, now)}
    except (OSError, kc.ContactsFileError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    agent = kc.Agent(id="reminder", route="dialplan-context")
    number = kc.OutboundNumber(id="office", e164=kc.PhoneNumber("+14155550100"))
    caps = kc.Caps(concurrent_max=MAX_CALLS, calls_per_minute=6000)
    account = kc.Account(id=ME, caps=caps, agents=(agent,), phone_numbers=(number,))
    settings = kc.campaign_settings(
        now=now,
        name=path.name,
        agent_id=agent.id,
        phone_number_id=number.id,
        max_concurrent_calls=MAX_CALLS,
        retries_per_contact=2,
        retry_delay_seconds=1,
        retry_delay_min_s=1,  # for a trial; people are given a minute at least
    )
    inbox.put(kc.PutAccount(account=account))
    inbox.put(kc.CreateCampaign(campaign_id=CAMPAIGN, settings=settings, total=len(desk.contacts), created_by="me"))
    inbox.put(kc.Operate(campaign_id=CAMPAIGN, operation=kc.Operation.START))
    stop = kc.Operate(campaign_id=CAMPAIGN, operation=kc.Operation.STOP)
    signal.signal(signal.SIGINT, lambda *_: inbox.put(stop))
    run(desk, inbox)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    summarize(desk)
    return 0 if all(each.status.is_terminal for each in desk.contacts.values()) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples/contacts.csv")))
