import pytest

from kataven_core.errors import (
    AdapterFault,
    BudgetExhausted,
    CommandRefused,
    InvalidValue,
    KatavenError,
    NotFound,
    Problem,
)

ONE_OF_EACH = [
    InvalidValue("invalid_thing", "it is wrong: mend it"),
    CommandRefused("not_now", "it can't be done now: wait"),
    BudgetExhausted(reserved=7, wanted=5, allowed=10),
    NotFound("campaign"),
    AdapterFault("store_full", "the disk is full: free some space", is_retryable=True),
]


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: type(error).__name__)
def test_one_except_catches_them_all(error: KatavenError) -> None:
    with pytest.raises(KatavenError) as caught:
        raise error
    assert caught.value is error


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: type(error).__name__)
def test_its_text_is_its_message(error: KatavenError) -> None:
    assert str(error) == error.message != ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidValue("invalid_thing", "…"), "invalid_thing"),
        (CommandRefused("not_now", "…"), "not_now"),
        (BudgetExhausted(reserved=0, wanted=1, allowed=0), "budget_exhausted"),
        (NotFound("campaign"), "not_found"),
    ],
)
def test_each_has_its_code(error: KatavenError, code: str) -> None:
    assert error.code == code


def test_problems_become_one_message_that_holds_them_all() -> None:
    problems = [Problem("name", "name is blank: give one"), Problem("age", "age is -1: it must be from 0 to 99")]
    error = InvalidValue.of("invalid_form", problems)
    assert (error.code, error.message, error.problems) == (
        "invalid_form",
        "name is blank: give one; age is -1: it must be from 0 to 99",
        (Problem("name", "name is blank: give one"), Problem("age", "age is -1: it must be from 0 to 99")),
    )


def test_an_invalid_value_need_not_be_a_field() -> None:
    assert InvalidValue("invalid_thing", "it is wrong").problems == ()


def test_an_exhausted_budget_is_a_refusal_with_its_three_numbers() -> None:
    error = BudgetExhausted(reserved=7, wanted=5, allowed=10)
    assert isinstance(error, CommandRefused)
    assert (error.reserved, error.wanted, error.allowed) == (7, 5, 10)
    assert error.message == (
        "cannot run a campaign: running campaigns reserve 7 concurrent calls, this one wants 5, the account allows 10; "
        "stop or pause a running campaign, or lower max_concurrent_calls"
    )


def test_the_fault_of_an_adapter_is_worth_another_try_only_where_it_says_so() -> None:
    assert not AdapterFault("store_full", "the disk is full: free some space").is_retryable
    assert AdapterFault("store_locked", "it is locked: wait", is_retryable=True).is_retryable


def test_what_is_not_found_is_named_by_its_kind_alone() -> None:
    assert str(NotFound("campaign")) == "no such campaign in this account"
