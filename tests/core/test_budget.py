from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.account import NO_LIMIT, Caps
from kataven_core.budget import AccountUsage, Allowance, Cap, account_allowance, admit, dial_allowance
from kataven_core.errors import BudgetExhausted
from kataven_core.values import format_rfc3339

MINUTE = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
DAY = datetime(2026, 3, 14, tzinfo=UTC)
NOW = MINUTE + timedelta(seconds=53)
A_MINUTE, A_DAY, A_MICROSECOND = timedelta(minutes=1), timedelta(days=1), timedelta(microseconds=1)
ACCOUNT_CAPS = ["concurrent_max", "calls_per_minute", "daily_calls_max", "daily_minutes_max"]


def usage(**used: Any) -> AccountUsage:
    return AccountUsage(minute=MINUTE, day=DAY, **used)


class Case(NamedTuple):
    """What a campaign's dials depend on."""

    max_concurrent_calls: int
    calls_in_flight: int
    caps: Caps
    usage: AccountUsage
    now: datetime

    def allowance(self) -> Allowance:
        return dial_allowance(**self._asdict())

    def with_cap(self, cap: str, value: int) -> "Case":
        if cap == "max_concurrent_calls":
            return self._replace(max_concurrent_calls=value)
        return self._replace(caps=evolve(self.caps, **{cap: value}))

    def with_only(self, cap: str) -> "Case":
        """Lift all other caps."""
        lifted = self
        for other in [*ACCOUNT_CAPS, "max_concurrent_calls"]:
            if other != cap:
                lifted = lifted.with_cap(other, NO_LIMIT)
        return lifted

    def allows(self, dials: int) -> bool:
        """Say whether so many more dials break no cap, each counted by itself: the dumb version."""
        caps, used = self.caps, self.usage
        calls_this_minute = used.calls_this_minute if self.now < used.minute + A_MINUTE else 0
        calls_today = used.calls_today if self.now < used.day + A_DAY else 0
        seconds_today = used.seconds_today if self.now < used.day + A_DAY else 0
        return all(
            [
                self.calls_in_flight + dials <= self.max_concurrent_calls,
                used.calls_in_flight + dials <= caps.concurrent_max,
                calls_this_minute + dials <= caps.calls_per_minute,
                calls_today + dials <= caps.daily_calls_max,
                seconds_today / 60 < caps.daily_minutes_max,
            ]
        )

    def counted(self) -> int:
        dials = 0
        while self.allows(dials + 1):
            dials += 1
        return dials


few = st.integers(0, 12)
any_cap = st.one_of(few, st.just(NO_LIMIT))
any_caps = st.builds(Caps, **dict.fromkeys(ACCOUNT_CAPS, any_cap))
any_usage = st.builds(
    usage, calls_in_flight=few, calls_this_minute=few, calls_today=few, seconds_today=st.floats(0, 12 * 60)
)
any_case = st.builds(
    Case,
    max_concurrent_calls=st.integers(1, 12),
    calls_in_flight=few,
    caps=any_caps,
    usage=any_usage,
    now=st.sampled_from([NOW - A_DAY, NOW - A_MINUTE, NOW, MINUTE + A_MINUTE, NOW + A_MINUTE, DAY + A_DAY]),
)


@given(st.integers(0, 500), st.integers(1, 100), st.integers(0, 500))
def test_a_campaign_is_admitted_when_it_fits(reserved: int, wanted: int, allowed: int) -> None:
    if reserved + wanted <= allowed:
        admit(reserved=reserved, wanted=wanted, allowed=allowed)
        return
    with pytest.raises(BudgetExhausted) as refused:
        admit(reserved=reserved, wanted=wanted, allowed=allowed)
    assert (refused.value.reserved, refused.value.wanted, refused.value.allowed) == (reserved, wanted, allowed)


def test_what_fits_exactly_is_admitted() -> None:
    admit(reserved=95, wanted=5, allowed=100)
    with pytest.raises(BudgetExhausted):
        admit(reserved=96, wanted=5, allowed=100)


def test_an_allowance_of_0_admits_nothing() -> None:
    with pytest.raises(BudgetExhausted, match=r"reserve 0 .* wants 1, .* allows 0; stop or pause"):
        admit(reserved=0, wanted=1, allowed=0)


def test_no_limit_admits_everything() -> None:
    admit(reserved=1_000_000, wanted=100, allowed=NO_LIMIT)


@given(any_case)
def test_the_allowance_is_what_counting_gives(case: Case) -> None:
    assert case.allowance().dials == case.counted()


@given(any_case)
def test_the_named_cap_alone_gives_the_same_number(case: Case) -> None:
    allowance = case.allowance()
    assert case.with_only(allowance.binding).allowance().dials == allowance.dials


@given(any_case)
def test_raising_the_named_cap_gives_more_unless_another_binds_as_well(case: Case) -> None:
    allowance = case.allowance()
    raised = case.with_cap(allowance.binding, min(allowance.limit + 1, NO_LIMIT)).allowance()
    is_overdrawn = raised.binding == allowance.binding and raised.dials == allowance.dials == 0
    assert raised.dials > allowance.dials or raised.binding != allowance.binding or is_overdrawn


@given(any_case)
def test_the_limit_is_the_setting_of_the_named_cap(case: Case) -> None:
    allowance = case.allowance()
    settings: dict[str, int] = {cap: getattr(case.caps, cap) for cap in ACCOUNT_CAPS}
    assert allowance.limit == (settings | {"max_concurrent_calls": case.max_concurrent_calls})[allowance.binding]


@given(any_case)
def test_the_clock_lifts_the_named_cap_when_it_says_and_no_sooner(case: Case) -> None:
    allowance, only = case.allowance(), case.with_only(case.allowance().binding)
    if allowance.opens_at is not None:
        assert allowance.opens_at > case.now
        assert only._replace(now=allowance.opens_at - A_MICROSECOND).allowance().dials == allowance.dials
        fresh = evolve(AccountUsage.empty(allowance.opens_at), calls_in_flight=case.usage.calls_in_flight)
        assert only._replace(now=allowance.opens_at).allowance().dials == only._replace(usage=fresh).allowance().dials


@given(any_case)
def test_where_no_clock_helps_the_end_of_a_call_does(case: Case) -> None:
    allowance, only = case.allowance(), case.with_only(case.allowance().binding)
    if allowance.opens_at is None:
        after_all_ends = only._replace(calls_in_flight=0, usage=evolve(case.usage, calls_in_flight=0))
        assert after_all_ends.allowance().dials == allowance.limit


@given(any_case)
def test_a_campaign_never_has_more_than_its_account(case: Case) -> None:
    assert case.allowance().dials <= account_allowance(case.caps, case.usage, case.now).dials


@given(any_caps, any_usage)
def test_an_account_has_what_a_boundless_campaign_would(caps: Caps, used: AccountUsage) -> None:
    boundless = Case(max_concurrent_calls=NO_LIMIT, calls_in_flight=0, caps=caps, usage=used, now=NOW)
    assert account_allowance(caps, used, NOW) == boundless.allowance()


@pytest.mark.parametrize(
    ("caps", "used", "expected"),
    [
        (Caps(daily_minutes_max=2), {"seconds_today": 120.0}, ("daily_minutes_max", 2, DAY + A_DAY)),
        (Caps(daily_calls_max=7), {"calls_today": 7}, ("daily_calls_max", 7, DAY + A_DAY)),
        (Caps(calls_per_minute=3), {"calls_this_minute": 3}, ("calls_per_minute", 3, MINUTE + A_MINUTE)),
        (Caps(concurrent_max=5), {"calls_in_flight": 5}, ("concurrent_max", 5, None)),
        (Caps(concurrent_max=5), {"calls_in_flight": 9}, ("concurrent_max", 5, None)),
        (Caps(daily_minutes_max=0), {}, ("daily_minutes_max", 0, DAY + A_DAY)),
        (Caps(daily_calls_max=0), {}, ("daily_calls_max", 0, DAY + A_DAY)),
        (Caps(calls_per_minute=0), {}, ("calls_per_minute", 0, MINUTE + A_MINUTE)),
        (Caps(concurrent_max=0), {}, ("concurrent_max", 0, None)),
    ],
)
def test_each_cap_of_an_account_blocks(caps: Caps, used: dict[str, Any], expected: tuple[str, int, Any]) -> None:
    binding, limit, opens_at = expected
    blocked = Allowance(dials=0, binding=Cap(binding), limit=limit, opens_at=opens_at)
    assert account_allowance(caps, usage(**used), NOW) == blocked


@pytest.mark.parametrize(
    ("used_up", "named"),
    [
        (["daily_minutes_max", "daily_calls_max", "calls_per_minute", "concurrent_max"], "daily_minutes_max"),
        (["daily_calls_max", "calls_per_minute", "concurrent_max"], "daily_calls_max"),
        (["calls_per_minute", "concurrent_max"], "calls_per_minute"),
        (["concurrent_max"], "concurrent_max"),
    ],
)
def test_of_several_used_up_caps_the_one_that_lasts_longest_is_named(used_up: list[str], named: str) -> None:
    """However far another one is overdrawn, as after a cap was lowered."""
    used = usage(calls_in_flight=99, calls_this_minute=9, calls_today=8, seconds_today=480.0)
    caps = Caps(**dict.fromkeys(used_up, 8))
    assert account_allowance(caps, used, NOW).binding == named


def test_a_cap_that_leaves_one_dial_does_not_hide_one_that_leaves_none() -> None:
    used = usage(calls_this_minute=9, calls_today=8)
    allowance = account_allowance(Caps(daily_calls_max=9, calls_per_minute=9), used, NOW)
    assert (allowance.dials, allowance.binding) == (0, Cap.CALLS_PER_MINUTE)


def test_without_limits_nothing_is_held_back() -> None:
    assert account_allowance(Caps(), AccountUsage.empty(NOW), NOW).dials == NO_LIMIT


def test_a_campaign_is_held_by_its_own_cap() -> None:
    case = Case(max_concurrent_calls=5, calls_in_flight=3, caps=Caps(), usage=usage(calls_in_flight=3), now=NOW)
    assert case.allowance() == Allowance(dials=2, binding=Cap.CAMPAIGN_CALLS, limit=5, opens_at=None)


def test_of_an_account_and_its_campaign_that_bind_alike_the_account_is_named() -> None:
    """Its cap may last until the end of the day."""
    used = usage(calls_in_flight=3, calls_today=8)
    case = Case(max_concurrent_calls=5, calls_in_flight=3, caps=Caps(daily_calls_max=10), usage=used, now=NOW)
    assert case.allowance() == Allowance(dials=2, binding=Cap.DAILY_CALLS, limit=10, opens_at=DAY + A_DAY)


def test_at_the_minutes_of_a_day_nothing_is_dialled_and_just_below_it_as_ever() -> None:
    caps = Caps(daily_minutes_max=1)
    assert account_allowance(caps, usage(seconds_today=59.9), NOW).dials > 100
    assert account_allowance(caps, usage(seconds_today=60.0), NOW).dials == 0


def test_an_allowance_says_why_not_more() -> None:
    by_clock = Allowance(dials=0, binding=Cap.CALLS_PER_MINUTE, limit=30, opens_at=MINUTE + A_MINUTE)
    by_call = Allowance(dials=2, binding=Cap.CAMPAIGN_CALLS, limit=5, opens_at=None)
    assert [str(by_clock), str(by_call)] == [
        "0 more dials now under calls_per_minute = 30; more at 2026-03-14T09:27:00Z",
        "2 more dials now under max_concurrent_calls = 5; more when a call ends",
    ]


def test_the_caps_have_the_names_under_which_they_are_set_and_the_line_is_none_of_them() -> None:
    assert {*map(str, Cap)} == {*ACCOUNT_CAPS, "max_concurrent_calls", "line"}


@pytest.mark.parametrize(
    ("opens_at", "sentence"),
    [
        (None, "the line takes no calls now"),
        (
            NOW + timedelta(seconds=30),
            f"the line takes no calls now; tried again at {format_rfc3339(NOW + timedelta(seconds=30))}",
        ),
    ],
)
def test_a_line_that_takes_no_calls_says_so(opens_at: datetime | None, sentence: str) -> None:
    assert str(Allowance(dials=0, binding=Cap.LINE, limit=0, opens_at=opens_at)) == sentence


@pytest.mark.parametrize("value", [usage(), usage(calls_today=1), Case(5, 0, Caps(), usage(), NOW).allowance()])
def test_values_are_hashable_and_never_change(value: Any) -> None:
    assert {value: 1}[evolve(value)] == 1
    with pytest.raises(FrozenInstanceError):
        value.dials = 1


def test_usage_begins_with_this_minute_and_day() -> None:
    assert AccountUsage.empty(NOW) == AccountUsage(minute=MINUTE, day=DAY)


USED = usage(calls_in_flight=1, calls_this_minute=2, calls_today=3, seconds_today=4.5)


@pytest.mark.parametrize(
    ("now", "rolled"),
    [
        (MINUTE, USED),
        (NOW, USED),
        (MINUTE + A_MINUTE - A_MICROSECOND, USED),
        (MINUTE + A_MINUTE, evolve(USED, minute=MINUTE + A_MINUTE, calls_this_minute=0)),
        (
            DAY + A_DAY + timedelta(hours=7, seconds=1),
            AccountUsage(minute=DAY + A_DAY + timedelta(hours=7), day=DAY + A_DAY, calls_in_flight=1),
        ),
    ],
)
def test_windows_roll_forward(now: datetime, rolled: AccountUsage) -> None:
    assert USED.rolled(now) == rolled


@pytest.mark.parametrize("now", [MINUTE - A_MICROSECOND, NOW - A_MINUTE, NOW - A_DAY])
def test_windows_never_roll_back(now: datetime) -> None:
    assert USED.rolled(now) is USED


def test_a_clock_set_back_by_a_minute_gives_no_second_helping() -> None:
    in_the_next_minute = USED.rolled(NOW + A_MINUTE).after_claims(10)
    assert account_allowance(Caps(calls_per_minute=10), in_the_next_minute, NOW).dials == 0


def test_claims_count_at_once() -> None:
    assert USED.after_claims(5) == usage(calls_in_flight=6, calls_this_minute=7, calls_today=8, seconds_today=4.5)


def test_an_end_frees_a_slot_and_counts_the_talk_of_this_day() -> None:
    assert USED.after_ends([(NOW, 60.0)]) == evolve(USED, calls_in_flight=0, seconds_today=64.5)
    assert USED.after_ends([(DAY, 60.0)]) == evolve(USED, calls_in_flight=0, seconds_today=64.5)
    assert USED.after_ends([(DAY - A_MICROSECOND, 60.0)]) == evolve(USED, calls_in_flight=0)


@pytest.mark.parametrize(
    ("claimed_at", "given_back"),
    [
        (NOW, {"calls_this_minute": 1, "calls_today": 2}),
        (MINUTE, {"calls_this_minute": 1, "calls_today": 2}),
        (MINUTE - A_MICROSECOND, {"calls_today": 2}),
        (DAY - A_MICROSECOND, {}),
        (NOW - A_DAY, {}),
    ],
)
def test_the_unsent_give_back_only_what_they_took_of_an_open_window(
    claimed_at: datetime, given_back: dict[str, int]
) -> None:
    after = evolve(USED, calls_in_flight=0, **given_back)  # type: ignore[arg-type] # they are given by their names
    assert USED.after_unsent(claimed_at=claimed_at) == after


class Dial(NamedTuple):
    """One claim and what became of it."""

    claimed_at: datetime
    ended_at: datetime | None = None
    duration_s: int = 0
    is_unsent: bool = False


def recount(dials: list[Dial], now: datetime) -> AccountUsage:
    minute, day = now.replace(second=0, microsecond=0), now.replace(hour=0, minute=0, second=0, microsecond=0)
    sent = [dial for dial in dials if not dial.is_unsent]
    return AccountUsage(
        minute=minute,
        day=day,
        calls_in_flight=sum(dial.ended_at is None for dial in dials),
        calls_this_minute=sum(dial.claimed_at >= minute for dial in sent),
        calls_today=sum(dial.claimed_at >= day for dial in sent),
        seconds_today=sum(dial.duration_s for dial in sent if dial.ended_at and dial.ended_at >= day),
    )


steps = st.lists(
    st.tuples(
        st.sampled_from(["claim", "end", "unsent"]),
        st.sampled_from([0, 1, 7, 60, 3_600, 40_000]),
        st.integers(0, 100),
    ),
    max_size=30,
)


@given(steps)
def test_usage_is_what_a_recount_of_all_dials_gives(steps: list[tuple[str, int, int]]) -> None:
    now, used, dials = NOW, AccountUsage.empty(NOW), list[Dial]()
    for step, seconds, number in steps:
        now += timedelta(seconds=seconds)
        used = used.rolled(now)
        open_dials = [index for index, dial in enumerate(dials) if dial.ended_at is None]
        if step == "claim":
            used = used.after_claims(number % 3)
            dials += [Dial(now)] * (number % 3)
        elif open_dials:
            index = open_dials[number % len(open_dials)]
            dial = dials[index]
            if step == "end":
                used = used.after_ends([(now, number)])
                dials[index] = dial._replace(ended_at=now, duration_s=number)
            else:
                used = used.after_unsent(claimed_at=dial.claimed_at)
                dials[index] = dial._replace(ended_at=now, is_unsent=True)
        assert used == recount(dials, now)
