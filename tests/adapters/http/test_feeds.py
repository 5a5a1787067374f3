import asyncio
import logging
from typing import Any, cast

import pytest

import kataven_core as kc
from kataven_adapters.http.listeners import Listener
from kataven_adapters.http.problems import HttpProblem
from kataven_adapters.http.settings import ApiSettings
from kataven_adapters.http.sse import HEARTBEAT, Frames
from kataven_core import CampaignStatus as Is
from kataven_core.ports import Subscription

from .feeding import (
    ACCOUNT,
    CAMPAIGN,
    BrokenEvents,
    FakeEngine,
    FakeSink,
    failing,
    feeds_of,
    listen,
    virtually,
)

OPEN = [Is.DRAFT, Is.SCHEDULED, Is.RUNNING, Is.PAUSED]
TERMINAL = [Is.COMPLETED, Is.FAILED]
MOVES: list[tuple[type[kc.CampaignEvent], dict[str, Any]]] = [
    (kc.CampaignStarted, {}),
    (kc.CampaignPaused, {}),
    (kc.CampaignResumed, {}),
    (kc.CampaignStopped, {"cancelled": 0}),
    (kc.CampaignCompleted, {}),
    (kc.CampaignFailed, {"reason": "the agent is gone", "cancelled": 0}),
]


def test_one_read_per_tick_serves_all_who_listen_to_a_running_campaign() -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        sinks = [(await listen(feeds))[1] for _ in range(50)]
        reads = engine.reads
        await asyncio.sleep(10.5)
        assert engine.reads - reads == 5
        assert {tuple(sink.times) for sink in sinks} == {(2, 4, 6, 8, 10)}
        feeds.close()

    assert virtually(test()) == []


@pytest.mark.parametrize("status", OPEN)
def test_a_sign_of_life_comes_in_every_status_that_is_not_the_last(status: Is) -> None:
    async def test() -> None:
        engine = FakeEngine(status)
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        await asyncio.sleep(46)
        beats = [at for at, frame in sink.heard if HEARTBEAT in frame]
        assert [round(at, 1) for at in beats] == [15, 30, 45]
        assert (len(sink.heard) > 3) == (status is Is.RUNNING)
        feeds.close()

    assert virtually(test()) == []


@pytest.mark.parametrize("status", [Is.DRAFT, Is.SCHEDULED, Is.PAUSED])
def test_what_does_not_run_is_not_read_again_and_again(status: Is) -> None:
    async def test() -> None:
        engine = FakeEngine(status)
        feeds = feeds_of(engine)
        await listen(feeds)
        await asyncio.sleep(600)
        assert engine.reads == 1
        feeds.close()

    virtually(test())


def test_a_tick_and_a_sign_of_life_that_are_due_together_are_sent_together() -> None:
    async def test() -> None:
        feeds = feeds_of(FakeEngine(), ApiSettings(tick_s=5, heartbeat_s=15))
        _, sink, _ = await listen(feeds)
        await asyncio.sleep(15.5)
        assert sink.times == [5, 10, 15]
        assert sink.heard[-1][1].endswith(b"\n\n" + HEARTBEAT)
        feeds.close()

    virtually(test())


@pytest.mark.parametrize(("kind", "members"), MOVES)
def test_every_change_of_status_is_told_at_once(kind: type[kc.CampaignEvent], members: dict[str, Any]) -> None:
    async def test() -> None:
        engine = FakeEngine(Is.DRAFT)
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        await asyncio.sleep(1)
        engine.move(Is.PAUSED, kind, **members)
        await asyncio.sleep(0.1)
        assert sink.times == [1]
        assert b'"status":"paused"' in sink.text
        feeds.close()

    virtually(test())


def test_a_change_puts_off_the_next_tick() -> None:
    async def test() -> None:
        engine = FakeEngine(Is.DRAFT)
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        await asyncio.sleep(1)
        engine.move(Is.RUNNING)
        await asyncio.sleep(4.5)
        assert sink.times == [1, 3, 5]
        feeds.close()

    virtually(test())


def test_what_happens_without_a_change_of_status_waits_for_the_next_tick() -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        for _ in range(100):
            engine.tell(kc.CampaignEvent)
            await asyncio.sleep(0.01)
        assert sink.heard == []
        assert engine.reads == 1
        feeds.close()

    virtually(test())


@pytest.mark.parametrize("status", TERMINAL)
def test_the_end_is_told_with_a_last_snapshot_and_the_feed_is_gone(status: Is) -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        sinks = [(await listen(feeds))[1] for _ in range(3)]
        engine.move(status)
        await asyncio.sleep(0.1)
        for sink in sinks:
            assert sink.calls == ["finish"]
            assert sink.text.count(b"id: 2\n") == 2
            assert sink.text.count(b"event: end\ndata: {") == 1
        assert len(feeds) == 0

    assert virtually(test()) == []


@pytest.mark.parametrize("status", TERMINAL)
def test_of_a_campaign_that_is_over_all_is_said_at_once(status: Is) -> None:
    async def test() -> None:
        feeds = feeds_of(FakeEngine(status))
        _, _, first = await listen(feeds)
        assert first.is_end
        assert first.frames.count(b"event: end\n") == 1
        assert len(feeds) == 0

    assert virtually(test()) == []


def test_a_campaign_that_is_deleted_comes_to_its_end() -> None:
    async def test() -> None:
        engine = FakeEngine(Is.PAUSED)
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        engine.delete()
        await asyncio.sleep(0.1)
        assert sink.calls == ["finish"]
        assert b'event: end\ndata: {"campaign_id":"c1","status":"paused"' in sink.text
        assert len(feeds) == 0

    assert virtually(test()) == []


def test_whoever_asks_for_what_is_not_there_leaves_nothing_behind() -> None:
    async def test() -> None:
        engine = FakeEngine()
        engine.is_gone = True
        feeds = feeds_of(engine)
        with pytest.raises(kc.NotFound):
            await listen(feeds)
        assert len(feeds) == 0

    assert virtually(test()) == []


def test_whoever_can_be_told_nothing_leaves_nothing_behind() -> None:
    async def test() -> None:
        engine = FakeEngine()
        engine.before_read = failing()
        feeds = feeds_of(engine)
        with pytest.raises(kc.AdapterFault):
            await listen(feeds)
        assert len(feeds) == 0
        await listen(feeds)
        assert len(feeds) == 1
        feeds.close()

    assert virtually(test()) == []


def test_no_more_listen_than_may_however_fast_they_come() -> None:
    async def test() -> None:
        engine = FakeEngine()
        engine.before_read = lambda: asyncio.sleep(1)
        feeds = feeds_of(engine, ApiSettings(max_streams=2))
        answers = await asyncio.gather(*(listen(feeds) for _ in range(5)), return_exceptions=True)
        refused = [each for each in answers if isinstance(each, HttpProblem)]
        assert [(each.status, each.detail) for each in refused] == [(429, "rate_limited: streams (2) exceeded")] * 3
        assert len(feeds) == 2
        feeds.close()

    assert virtually(test()) == []


def test_whoever_goes_while_joining_leaves_nothing_behind() -> None:
    async def test() -> None:
        engine = FakeEngine()
        engine.before_read = asyncio.Event().wait
        feeds = feeds_of(engine)
        for wait_s in (0, 1):
            joining = asyncio.create_task(feeds.listen(ACCOUNT, CAMPAIGN))
            await asyncio.sleep(wait_s)
            joining.cancel()
            await asyncio.wait({joining})
            assert len(feeds) == 0

    assert virtually(test()) == []


def test_a_tick_that_fails_is_made_up_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        engine.before_read = failing(times=2)
        await asyncio.sleep(8.5)
        assert sink.times == [6, 8]
        feeds.close()

    virtually(test())
    assert caplog.text.count("the progress of a campaign can't be read: the store does not answer") == 2
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("ending", [Is.PAUSED, Is.RUNNING, Is.COMPLETED, None])
def test_a_change_that_could_not_be_read_is_read_later(ending: Is | None) -> None:
    async def test() -> None:
        engine = FakeEngine(Is.DRAFT)
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        engine.before_read = failing(times=3)
        engine.move(ending) if ending else engine.delete()
        await asyncio.sleep(6.5)
        assert sink.times[:1] == [6]
        assert (b"event: end" in sink.text) == (ending in {Is.COMPLETED, None})
        reads = engine.reads
        await asyncio.sleep(4)
        assert engine.reads - reads == (2 if ending is Is.RUNNING else 0)
        feeds.close()

    assert virtually(test()) == []


def test_a_read_that_fails_unforeseen_ends_the_streams_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)

        async def break_down() -> None:
            raise ZeroDivisionError

        engine.before_read = break_down
        await asyncio.sleep(2.5)
        assert sink.calls == ["finish"]
        assert len(feeds) == 0

    assert virtually(test()) == []
    assert "the feed of a campaign has failed" in caplog.text


def test_changes_that_were_missed_are_made_up_by_a_look(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        engine = FakeEngine(Is.DRAFT, room=5)
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        for _ in range(20):
            engine.tell(kc.CampaignEvent)
        engine.move(Is.PAUSED)
        await asyncio.sleep(0.1)
        assert b'"status":"paused"' in sink.text
        await asyncio.sleep(1)
        engine.move(Is.COMPLETED)
        await asyncio.sleep(0.1)
        assert b"event: end" in sink.text

    assert virtually(test()) == []
    assert caplog.records == []


def test_a_publisher_that_goes_on_failing_is_not_asked_all_the_time() -> None:
    async def test() -> None:
        engine = FakeEngine(Is.PAUSED)
        broken = BrokenEvents(kc.AdapterFault("redis_down", "no publisher", is_retryable=True))
        engine.subscribed = lambda: cast("Subscription", broken)
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        await asyncio.sleep(10)
        assert 1 < broken.asked < 50
        assert 1 < engine.reads < 50
        assert sink.calls[-1] == "write"
        feeds.close()

    assert virtually(test()) == []


@pytest.mark.parametrize("error", [kc.AdapterFault("redis_down", "no publisher"), ZeroDivisionError()])
@pytest.mark.parametrize("on_entry", [True, False])
def test_where_changes_cannot_be_followed_the_stream_ends_after_its_first_frame(
    error: Exception,
    on_entry: bool,  # noqa: FBT001 - a parameter of the test
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        engine = FakeEngine()
        engine.subscribed = lambda: cast("Subscription", BrokenEvents(error, on_entry=on_entry))
        feeds = feeds_of(engine)
        _, sink, first = await listen(feeds)
        assert not first.is_end
        await asyncio.sleep(0.1)
        if on_entry or not isinstance(error, kc.AdapterFault):
            assert sink.calls == ["finish"]
            assert len(feeds) == 0
        feeds.close()

    assert virtually(test()) == []
    if on_entry or not isinstance(error, kc.AdapterFault):
        assert "the changes of a campaign can't be followed" in caplog.text


def test_a_campaign_that_moves_between_the_first_frame_and_the_joining_is_not_missed() -> None:
    async def test() -> None:
        engine = FakeEngine(Is.DRAFT)
        feeds = feeds_of(engine)
        listener, first = await feeds.listen(ACCOUNT, CAMPAIGN)
        assert b'"draft"' in first.frames
        engine.move(Is.RUNNING)
        await asyncio.sleep(0.1)
        sink = FakeSink()
        listener.attach(sink)
        assert b'"running"' in sink.text
        assert sink.ids == [2]
        feeds.close()

    virtually(test())


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_campaign_that_ends_between_the_first_frame_and_the_joining_is_not_missed(
    is_deleted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        listener, first = await feeds.listen(ACCOUNT, CAMPAIGN)
        engine.delete() if is_deleted else engine.move(Is.COMPLETED)
        await asyncio.sleep(0.1)
        sink = FakeSink()
        listener.attach(sink)
        assert not first.is_end
        assert sink.calls == ["finish"]
        assert b"event: end" in sink.text
        assert len(feeds) == 0

    assert virtually(test()) == []


def test_what_was_read_before_the_first_frame_is_not_sent_after_it() -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        _, early, _ = await listen(feeds)
        slowly = asyncio.Event()
        engine.before_read = slowly.wait
        await asyncio.sleep(2.1)  # the feed has read, and it has not arrived
        engine.before_read = None
        engine.move(Is.PAUSED)
        joining = asyncio.create_task(feeds.listen(ACCOUNT, CAMPAIGN))
        await asyncio.sleep(0.1)
        listener, first = await joining
        slowly.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        sink = FakeSink()
        listener.attach(sink)
        await asyncio.sleep(0.1)
        assert first.sequence == 2
        assert early.ids == [1, 2]
        assert sink.ids == [2]
        assert b"running" not in sink.text
        feeds.close()

    virtually(test())


def test_an_older_read_that_arrives_late_does_not_undo_a_newer_one() -> None:
    async def test() -> None:
        engine = FakeEngine(Is.DRAFT)
        feeds = feeds_of(engine)
        _, sink, _ = await listen(feeds)
        slowly = asyncio.Event()
        engine.before_read = slowly.wait
        joining = asyncio.create_task(feeds.listen(ACCOUNT, CAMPAIGN))
        await asyncio.sleep(0.1)
        engine.before_read = None
        engine.move(Is.RUNNING)
        await asyncio.sleep(0.1)
        slowly.set()
        await joining
        await asyncio.sleep(4.5)
        assert len(sink.heard) == 3  # at the change, and at two ticks
        feeds.close()

    virtually(test())


@pytest.mark.parametrize("steps", range(6))
def test_closing_ends_whoever_is_joining(steps: int) -> None:
    async def test() -> None:
        engine = FakeEngine()
        engine.before_read = lambda: asyncio.sleep(0)
        feeds = feeds_of(engine)
        joining = [asyncio.create_task(listen(feeds)) for _ in range(2)]
        for _ in range(steps):
            await asyncio.sleep(0)
        feeds.close()
        for _, sink, _ in await asyncio.gather(*joining):
            await asyncio.sleep(0)
            if steps:
                assert sink.calls == ["finish"]
        feeds.close()
        await asyncio.sleep(0)
        assert len(feeds) == 0

    assert virtually(test()) == []


def test_an_engine_that_closes_ends_every_stream() -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        sinks = [(await listen(feeds))[1] for _ in range(3)]
        engine.hub.close()
        await asyncio.sleep(0.1)
        assert [sink.calls for sink in sinks] == [["finish"]] * 3
        assert len(feeds) == 0

    assert virtually(test()) == []


def test_a_feed_whose_listeners_have_left_does_not_take_the_next_one_along() -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        for _ in range(3):
            gone, _, _ = await listen(feeds)
            gone.leave()
            _, sink, _ = await listen(feeds)
            gone.leave()
            await asyncio.sleep(2.5)
            assert sink.times[-1:] == [round(asyncio.get_running_loop().time() - 0.5, 1)]
            assert len(feeds) == 1
            feeds.close()
        assert len(feeds) == 0

    assert virtually(test()) == []


def test_whoever_comes_while_the_others_go_is_served() -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        first, _, _ = await listen(feeds)
        joining = asyncio.create_task(listen(feeds))
        await asyncio.sleep(0)
        first.leave()
        _, sink, _ = await joining
        await asyncio.sleep(2.5)
        assert sink.times == [2]
        feeds.close()

    assert virtually(test()) == []


def test_who_takes_nothing_is_dropped_in_time_and_holds_nobody_up() -> None:
    async def test() -> None:
        feeds = feeds_of(FakeEngine())
        _, deaf, _ = await listen(feeds)
        _, sink, _ = await listen(feeds)
        deaf.is_blocked = True
        await asyncio.sleep(31.5)
        assert len(feeds) == 2
        await asyncio.sleep(1)
        assert deaf.calls[-1] == "abort"
        assert deaf.heard == []
        assert len(feeds) == 1
        assert len([at for at in sink.times if at % 2 == 0]) == 16
        feeds.close()

    virtually(test())


def test_who_takes_something_now_and_then_is_not_dropped_and_gets_the_newest() -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        _, slow, _ = await listen(feeds)
        for _ in range(5):
            slow.is_blocked = True
            for _ in range(10):
                engine.tell(kc.CampaignEvent)
                await asyncio.sleep(2.5)
            slow.is_blocked = False
            await asyncio.sleep(2.1)
            assert slow.ids[-1] == engine.sequence
        assert len(slow.ids) < 20
        assert len(feeds) == 1
        feeds.close()

    virtually(test())


def test_who_takes_nothing_of_a_draft_is_dropped_too() -> None:
    async def test() -> None:
        feeds = feeds_of(FakeEngine(Is.DRAFT))
        _, deaf, _ = await listen(feeds)
        deaf.is_blocked = True
        await asyncio.sleep(50)
        assert deaf.calls[-1] == "abort"
        assert len(feeds) == 0

    virtually(test())


def test_who_missed_a_sign_of_life_and_reads_again_is_not_dropped() -> None:
    async def test() -> None:
        feeds = feeds_of(FakeEngine(Is.DRAFT), ApiSettings(tick_s=2, heartbeat_s=15, blocked_s=5))
        _, slow, _ = await listen(feeds)
        slow.is_blocked = True
        await asyncio.sleep(15.5)
        slow.is_blocked = False
        await asyncio.sleep(60)
        assert slow.text.count(HEARTBEAT) == 5
        assert len(feeds) == 1
        feeds.close()

    virtually(test())


@pytest.mark.parametrize("status", [Is.DRAFT, Is.RUNNING])
def test_who_has_gone_is_forgotten_by_the_next_tick(status: Is) -> None:
    async def test() -> None:
        feeds = feeds_of(FakeEngine(status))
        _, sink, _ = await listen(feeds)
        sink.is_gone = True
        await asyncio.sleep(2.5)
        assert sink.calls == ["abort"]
        assert len(feeds) == 0

    assert virtually(test()) == []


def test_who_never_begins_to_listen_is_forgotten() -> None:
    async def test() -> None:
        feeds = feeds_of(FakeEngine())
        listener, _ = await feeds.listen(ACCOUNT, CAMPAIGN)
        await asyncio.sleep(40)
        assert len(feeds) == 0
        sink = FakeSink()
        listener.attach(sink)
        assert "finish" in sink.calls

    assert virtually(test()) == []


def test_a_thousand_who_come_and_go_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def test() -> None:
        feeds = feeds_of(FakeEngine())
        here: list[Listener] = []
        for n in range(1000):
            here.append((await listen(feeds))[0])
            if n % 3:
                here.pop(n % len(here)).leave()
            await asyncio.sleep(0.1 if n % 7 else 0)
        for each in here:
            each.leave()
        assert len(feeds) == 0

    assert virtually(test()) == []
    assert [each for each in caplog.records if each.levelno > logging.DEBUG] == []


def test_the_first_frames_say_where_the_campaign_stands_now() -> None:
    async def test() -> None:
        engine = FakeEngine()
        feeds = feeds_of(engine)
        sequences = []
        for _ in range(3):
            engine.tell(kc.CampaignEvent)
            first: Frames = (await listen(feeds))[2]
            sequences.append(first.sequence)
        assert sequences == [2, 3, 4]
        feeds.close()

    virtually(test())
