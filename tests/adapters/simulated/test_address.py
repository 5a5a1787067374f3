import pytest

from kataven_adapters.simulated import SimulatedSettings, settings_from_url
from kataven_core import AdapterFault, Outcome


def refusal(query: str) -> str:
    with pytest.raises(AdapterFault) as caught:
        settings_from_url(f"simulated://{query}")
    assert caught.value.code == "invalid_url"
    assert not caught.value.is_retryable
    return caught.value.message.removeprefix("simulated://: ")


def test_the_documented_address_is_the_default() -> None:
    url = "simulated://?seed=7&answer=0.6&busy=0.1&no_answer=0.2&failed=0.1&ring_s=0.05&talk_s=0.2"
    assert settings_from_url(url) == SimulatedSettings()
    assert settings_from_url("simulated://") == SimulatedSettings()
    assert settings_from_url("simulated://?") == SimulatedSettings()


def test_every_parameter_is_read() -> None:
    query = (
        "seed=-3&answer=.1&busy=.1&no_answer=.1&failed=.1&machine=.2&declined=.2&invalid_number=2e-1"
        "&ring_s=1&talk_s=2.&log=phones.jsonl"
    )
    assert settings_from_url(f"simulated://?{query}") == SimulatedSettings(
        seed=-3,
        chances={
            Outcome.ANSWERED: 0.1,
            Outcome.BUSY: 0.1,
            Outcome.NO_ANSWER: 0.1,
            Outcome.FAILED: 0.1,
            Outcome.MACHINE: 0.2,
            Outcome.DECLINED: 0.2,
            Outcome.INVALID_NUMBER: 0.2,
        },
        ring_s=1,
        talk_s=2,
        log="phones.jsonl",
    )


def test_where_a_chance_is_given_the_others_are_0() -> None:
    assert settings_from_url("simulated://?answer=1").chances == {Outcome.ANSWERED: 1}


def test_where_no_chance_is_given_the_defaults_hold() -> None:
    assert settings_from_url("simulated://?seed=1&ring_s=0&talk_s=0") == SimulatedSettings(seed=1, ring_s=0, talk_s=0)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("/var/log/phones.jsonl", "/var/log/phones.jsonl"),
        ("my%20phones%26more", "my phones&more"),
        ("a+b=c?d#e", "a+b=c?d#e"),
    ],
)
def test_the_name_of_the_log_is_taken_as_it_is(written: str, name: str) -> None:
    assert settings_from_url(f"simulated://?log={written}").log == name


@pytest.mark.parametrize("name", ["answer", "busy", "no_answer", "failed", "machine", "declined", "invalid_number"])
@pytest.mark.parametrize("text", ["x", "nan", "inf", "-inf", "1_0", "1,5", "0x1", "1 ", "%201", "--1", "\u0661"])
def test_a_chance_is_a_decimal_number(name: str, text: str) -> None:
    shown = text.replace("%20", " ")
    assert refusal(f"?{name}={text}") == f"{name} is {shown!r}: write a chance from 0 to 1"


@pytest.mark.parametrize("name", ["ring_s", "talk_s"])
def test_a_mean_is_a_decimal_number(name: str) -> None:
    assert refusal(f"?{name}=nan") == f"{name} is 'nan': write seconds, 0 or more"
    assert refusal(f"?{name}=-1") == f"{name} is -1: it must be from 0 to 86400 seconds"
    assert refusal(f"?{name}=1e999") == f"{name} is inf: it must be from 0 to 86400 seconds"


@pytest.mark.parametrize("text", ["x", "1.5", "1_000", "", "+1", "9" * 19])
def test_a_seed_is_a_whole_number(text: str) -> None:
    if text:
        assert refusal(f"?seed={text}") == f"seed is {text!r}: write a whole number of at most 18 digits"
    else:
        assert refusal("?seed=") == "seed has no value: write seed=…, or leave it out"


def test_what_is_wrong_is_quoted_no_longer_than_needed() -> None:
    assert refusal(f"?seed={'x' * 1000}").startswith(f"seed is '{'x' * 40}…': ")


def test_chances_out_of_range_are_named() -> None:
    assert refusal("?answer=1.5") == "answer is 1.5: a chance must be from 0 to 1"


def test_chances_sum_to_1() -> None:
    assert refusal("?answer=0.6") == "the chances sum to 0.6 (answer 0.6): change them so that they sum to 1"


KNOWN = "seed, answer, busy, no_answer, failed, machine, declined, invalid_number, ring_s, talk_s or log"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?sead=7", f"'sead' is no parameter: use {KNOWN}"),
        ("?Seed=7", f"'Seed' is no parameter: use {KNOWN}"),
        ("?=7", f"'' is no parameter: use {KNOWN}"),
        ("?seed=7&", f"'' is no parameter: use {KNOWN}"),
        ("?seed=7&seed=7", "seed is given twice: leave one"),
        ("?log=a&log=b", "log is given twice: leave one"),
        ("?seed", "seed has no value: write seed=…, or leave it out"),
        ("?log=", "log has no value: write log=…, or leave it out"),
        ("host", "it has no host and no path: write simulated://?seed=7"),
        ("/path?seed=7", "it has no host and no path: write simulated://?seed=7"),
    ],
)
def test_an_address_that_can_t_be_read_is_told_why(query: str, message: str) -> None:
    assert refusal(query) == message


def test_another_address_is_refused() -> None:
    with pytest.raises(AdapterFault, match="write simulated://"):
        settings_from_url("memory://")
