"""Figures for Prometheus. None has a label that a tenant chooses."""

from collections import Counter as Tally
from collections.abc import Iterable, Sequence, Sized
from functools import cache
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from kataven_core import Decision, Outcome

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""Methods that are counted by name; any other word that a client sends is ``other``."""
_STEPS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES: Final = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)


class Dialling(Protocol):
    """What tells how many calls are up: an engine."""

    @property
    def calls_in_flight(self) -> int:
        """How many calls are claimed and have not ended."""
        ...


class Metrics:
    """Counts what an engine does, as its meter, and what an API answers; both may be shown on one page.

    What was counted once stays for as long as this lives; how many calls and listeners there are is asked when the
    page is.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._make_the_engines()
        self._make_the_apis()
        self._engines: dict[int, Dialling] = {}
        self._feeds: dict[int, Sized] = {}
        self._answered = cache(self._figures_of)  # there are as many as there are routes and statuses
        self._gauge("kataven_calls_in_flight", "Calls that are claimed and have not ended.").set_function(
            lambda: sum(each.calls_in_flight for each in self._engines.values())
        )
        self._gauge("kataven_stream_listeners", "Open event streams.").set_function(
            lambda: sum(map(len, self._feeds.values()))
        )

    def watch(self, engine: Dialling, feeds: Sized) -> None:
        """Show the calls of this engine and the listeners of these feeds too; what is shown already is shown once."""
        self._engines[id(engine)] = engine
        self._feeds[id(feeds)] = feeds

    # What an engine does.

    def settled(self, decisions: Sequence[Decision], took_s: float) -> None:
        """Count one commit: the calls that have ended, what stood in it, and the claims that had to wait for it."""
        outcomes: list[Outcome] = []
        size, has_claimed = 0, False
        for decision in decisions:
            size += len(decision.attempts) + len(decision.answers)
            for before, after in decision.attempts:
                has_claimed = has_claimed or before is None
                if after.outcome is not None:
                    outcomes.append(after.outcome)
        self._sizes.observe(size)
        if has_claimed:
            self._claims.observe(took_s)
        for outcome, count in Tally(outcomes).items():
            self._outcomes[outcome].inc(count)

    def sent(self, took_s: float) -> None:
        """Count one call that the line was asked for: how long it took from its claim to the line's answer."""
        self._dials.observe(took_s)

    def passed_over(self, reports: int) -> None:
        """Count reports about calls that are over, or that nobody knows."""
        self._strangers.inc(reports)

    # What an API answers.

    def answered(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count one answer; ``route`` is the template of its path, never the path itself."""
        word = method if method in METHODS else "other"
        requests, answers = self._answered(word, route, int(status))
        requests.inc()
        answers.observe(took_s)

    def _figures_of(self, word: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(word, route, str(status)), self._answers.labels(word, route)

    def render(self) -> tuple[bytes, str]:
        """Give the page, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _make_the_engines(self) -> None:
        calls = Counter("kataven_calls", "Calls that have ended, by outcome.", ["outcome"], registry=self._registry)
        self._outcomes = {outcome: calls.labels(outcome.value) for outcome in Outcome}
        self._strangers = Counter(
            "kataven_reports_passed_over",
            "Reports of the line about calls that are over, or that nobody knows.",
            registry=self._registry,
        )
        self._dials = self._histogram("kataven_dial_latency_seconds", "From a call's claim to the line's answer.")
        self._claims = self._histogram("kataven_claim_latency_seconds", "Of commits that claim a call: read to write.")
        self._sizes = self._histogram(
            "kataven_commit_group_size", "Changes of calls and answers to commands in a commit.", steps=_SIZES
        )

    def _make_the_apis(self) -> None:
        labels = ["method", "route"]
        self._requests = Counter(
            "kataven_http_requests", "Requests that were answered.", [*labels, "status"], registry=self._registry
        )
        self._answers = self._histogram(
            "kataven_http_request_seconds", "From a request's head to its answer; of streams, to the first.", labels
        )

    def _histogram(
        self, name: str, words: str, labels: Iterable[str] = (), *, steps: Sequence[float] = _STEPS_S
    ) -> Histogram:
        return Histogram(name, words, labels, buckets=steps, registry=self._registry)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(name, words, registry=self._registry)
