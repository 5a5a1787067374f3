from types import SimpleNamespace

import pytest
from attrs import evolve
from prometheus_client.parser import text_string_to_metric_families

from kataven_adapters.http.metrics import Metrics
from kataven_core import (
    AccountUsage,
    Attempt,
    AttemptChange,
    AttemptId,
    AttemptState,
    CampaignId,
    Decision,
    NotFound,
    Outcome,
)
from kataven_core.ports import Meter
from kataven_core.testing.samples import ACME, NOON, a_number

CLAIMED = Attempt(
    id=AttemptId("a.0.1"),
    account_id=ACME,
    campaign_id=CampaignId("a"),
    position=0,
    n=1,
    phone_number=a_number(0),
    claimed_at=NOON,
)
CLAIM = AttemptChange(None, CLAIMED)
RINGS = AttemptChange(CLAIMED, evolve(CLAIMED, state=AttemptState.LIVE))


def ends(outcome: Outcome) -> AttemptChange:
    return AttemptChange(RINGS.after, evolve(CLAIMED, state=AttemptState.DONE, outcome=outcome))


def decided(*changes: AttemptChange, answers: int = 0) -> Decision:
    return Decision(
        account=None, usage=AccountUsage.empty(NOON), attempts=changes, answers=answers * (NotFound("campaign"),)
    )


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def figures(metrics: Metrics) -> dict[str, float]:
    """Give every figure of the page by its name and labels, but when each was made."""
    families = text_string_to_metric_families(metrics.render()[0].decode())
    samples = [sample for family in families for sample in family.samples if not sample.name.endswith("_created")]
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


def test_it_is_a_meter(metrics: Metrics) -> None:
    meter: Meter = metrics
    meter.settled([], 0.0)
    meter.sent(0.0)
    meter.passed_over(0)


def test_the_page_says_what_it_is(metrics: Metrics) -> None:
    body, content_type = metrics.render()
    assert body.startswith(b"# HELP kataven_")
    assert content_type.startswith("text/plain; version=")


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_there_from_the_beginning(metrics: Metrics, outcome: Outcome) -> None:
    assert figures(metrics)[f"kataven_calls_total {outcome}"] == 0
    metrics.settled([decided(ends(outcome)), decided(ends(outcome))], 0.1)
    assert figures(metrics)[f"kataven_calls_total {outcome}"] == 2


def test_calls_that_have_not_ended_have_no_outcome(metrics: Metrics) -> None:
    metrics.settled([decided(CLAIM, RINGS)], 0.1)
    counts = {name: value for name, value in figures(metrics).items() if name.startswith("kataven_calls_total")}
    assert set(counts.values()) == {0}
    assert len(counts) == len(Outcome)


def test_claims_are_timed_by_the_commits_that_hold_one(metrics: Metrics) -> None:
    metrics.settled([decided(RINGS), decided(ends(Outcome.BUSY), answers=1)], 7.0)
    assert figures(metrics)["kataven_claim_latency_seconds_count"] == 0
    metrics.settled([decided(RINGS), decided(CLAIM, CLAIM)], 0.03)
    found = figures(metrics)
    assert found["kataven_claim_latency_seconds_count"] == 1
    assert found["kataven_claim_latency_seconds_sum"] == pytest.approx(0.03)
    assert found["kataven_claim_latency_seconds_bucket 0.025"] == 0
    assert found["kataven_claim_latency_seconds_bucket 0.05"] == 1


def test_a_commit_is_as_big_as_the_changes_and_answers_in_it(metrics: Metrics) -> None:
    metrics.settled([decided(CLAIM, RINGS, answers=1), decided(answers=2)], 0.1)
    metrics.settled([decided()], 0.1)
    found = figures(metrics)
    assert found["kataven_commit_group_size_count"] == 2
    assert found["kataven_commit_group_size_sum"] == 5
    assert found["kataven_commit_group_size_bucket 0.0"] == 1


def test_dials_are_timed(metrics: Metrics) -> None:
    metrics.sent(0.2)
    metrics.sent(0.3)
    found = figures(metrics)
    assert found["kataven_dial_latency_seconds_count"] == 2
    assert found["kataven_dial_latency_seconds_sum"] == pytest.approx(0.5)


def test_reports_about_calls_that_nobody_knows_are_counted_from_the_beginning(metrics: Metrics) -> None:
    assert figures(metrics)["kataven_reports_passed_over_total"] == 0
    metrics.passed_over(2)
    metrics.passed_over(3)
    assert figures(metrics)["kataven_reports_passed_over_total"] == 5


def test_answers_are_counted_and_timed_by_method_and_route(metrics: Metrics) -> None:
    metrics.answered("GET", "/campaigns/{id}", 200, 0.01)
    metrics.answered("GET", "/campaigns/{id}", 404, 0.02)
    found = figures(metrics)
    assert found["kataven_http_requests_total GET /campaigns/{id} 200"] == 1
    assert found["kataven_http_requests_total GET /campaigns/{id} 404"] == 1
    assert found["kataven_http_request_seconds_count GET /campaigns/{id}"] == 2


def test_methods_that_nobody_knows_are_one(metrics: Metrics) -> None:
    for word in ("BREW", "get", "X" * 9_000):
        metrics.answered(word, "unknown", 404, 0.01)
    assert figures(metrics)["kataven_http_requests_total other unknown 404"] == 3


def test_calls_and_listeners_are_asked_for_when_the_page_is(metrics: Metrics) -> None:
    assert figures(metrics)["kataven_calls_in_flight"] == figures(metrics)["kataven_stream_listeners"] == 0
    engine, listeners = SimpleNamespace(calls_in_flight=3), [1]
    metrics.watch(engine, listeners)
    assert figures(metrics)["kataven_calls_in_flight"] == 3
    engine.calls_in_flight = 4
    listeners.append(2)
    assert figures(metrics)["kataven_calls_in_flight"] == 4
    assert figures(metrics)["kataven_stream_listeners"] == 2


def test_two_apis_around_one_engine_show_its_calls_once_and_all_listeners(metrics: Metrics) -> None:
    engine = SimpleNamespace(calls_in_flight=3)
    metrics.watch(engine, [1])
    metrics.watch(engine, [1])
    assert figures(metrics)["kataven_calls_in_flight"] == 3
    assert figures(metrics)["kataven_stream_listeners"] == 2


def test_two_of_them_count_apart(metrics: Metrics) -> None:
    other = Metrics()
    other.sent(0.1)
    assert figures(metrics)["kataven_dial_latency_seconds_count"] == 0
    assert figures(other)["kataven_dial_latency_seconds_count"] == 1
