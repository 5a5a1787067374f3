"""The judge of the kills is not blind: each promise that is broken is named."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tools.kills.verdict import CAMPAIGN_CAP, CONTACTS, Contact, Pause, judge

TOOL = Path(__file__).parents[2] / "tools" / "kill_serve.py"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def event(kind: str, attempt: str, at_s: float) -> dict[str, str]:
    campaign, position, _ = attempt.split(".")
    at = (NOON + timedelta(seconds=at_s)).isoformat()
    return {"event": kind, "attempt_id": attempt, "campaign_id": campaign, "to": f"+1{position}", "at": at}


def call(attempt: str, at_s: float, *, lasts_s: float = 1.0, is_answered: bool = True) -> list[dict[str, str]]:
    middle = [event("answer", attempt, at_s + lasts_s / 2)] if is_answered else []
    return [event("ring", attempt, at_s), *middle, event("end", attempt, at_s + lasts_s)]


class Story:
    """A campaign of sixty contacts, each of which was called once and has answered; and what is changed in it."""

    def __init__(self) -> None:
        self.calls = {f"a.{n}.1": call(f"a.{n}.1", n) for n in range(CONTACTS)}
        self.contacts = {n: Contact("a", f"+1{n}", "completed", 1) for n in range(CONTACTS)}
        self.pauses: list[Pause] = []

    def verdict(self) -> list[str]:
        events = sorted((each for calls in self.calls.values() for each in calls), key=lambda each: each["at"])
        found: Iterator[str] = judge(events, [*self.contacts.values()], self.pauses)
        return [sentence.split(":")[0] for sentence in found]


@pytest.fixture
def story() -> Story:
    return Story()


def test_of_what_is_well_nothing_is_said(story: Story) -> None:
    assert story.verdict() == []


def test_an_attempt_that_rings_twice(story: Story) -> None:
    story.calls["again"] = call("a.3.1", 80)
    assert {"I2", "I8"} <= {*story.verdict()}


def test_a_number_in_two_calls_at_once(story: Story) -> None:
    story.calls["b.3.1"] = call("b.3.1", 3.2)
    assert "I3" in story.verdict()


def test_more_calls_at_once_than_the_caps(story: Story) -> None:
    for n in range(CONTACTS):
        story.calls[f"a.{n}.1"] = call(f"a.{n}.1", n / 1_000)
    assert story.verdict().count("I1") == 2 * CONTACTS - 3 * CAMPAIGN_CAP


def test_a_call_that_never_ends(story: Story) -> None:
    del story.calls["a.3.1"][-1]
    assert "I7" in story.verdict()


def test_a_retry_that_comes_too_soon(story: Story) -> None:
    story.calls["a.3.1"] = call("a.3.1", 3, is_answered=False)
    story.calls["a.3.2"] = call("a.3.2", 4.5)
    story.contacts[3] = story.contacts[3]._replace(attempts=2)
    assert story.verdict() == ["I5"]


def test_a_call_while_its_campaign_is_held(story: Story) -> None:
    story.pauses = [Pause("a", NOON + timedelta(seconds=3.5), NOON + timedelta(seconds=4.5))]
    assert story.verdict() == ["I4"]


@pytest.mark.parametrize("status", ["pending", "in_progress"])
def test_a_contact_that_comes_to_no_end(story: Story, status: str) -> None:
    story.contacts[3] = story.contacts[3]._replace(status=status)
    assert "lost" in story.verdict()


def test_a_contact_of_whose_answer_nothing_is_known(story: Story) -> None:
    story.contacts[3] = story.contacts[3]._replace(status="failed")
    assert story.verdict() == ["lost"]


def test_a_contact_that_is_in_no_list(story: Story) -> None:
    del story.contacts[3]
    assert {*story.verdict()} == {"I6", "I11"}


def test_more_dials_of_a_contact_than_its_retries_allow(story: Story) -> None:
    for n in range(2, 5):
        story.calls[f"a.3.{n}"] = call(f"a.3.{n}", 10.0 * n)
    story.contacts[3] = story.contacts[3]._replace(attempts=4)
    assert story.verdict() == ["I3"]
