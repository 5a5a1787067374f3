import re
from pathlib import Path
from typing import Any

import pytest

from kataven_adapters.config import (
    AccountConfig,
    ApiKeyConfig,
    Config,
    EventsConfig,
    LineConfig,
    ServerConfig,
    StoreConfig,
    load_config,
)
from kataven_core import NO_LIMIT, Account, Agent, AgentStatus, Caps, InvalidValue, OutboundNumber, PhoneNumber
from kataven_core.ports import LineOptions
from kataven_core.runtime import EngineSettings

HASH = "0123456789abcdef" * 4
OTHER_HASH = "f" * 64
WHOLE = f"""
[server]
host = "0.0.0.0"
port = 0
public_url = "https://calls.example.com"
retry_delay_min_s = 1
max_body_bytes = 20000000
max_streams = 5
requests_per_minute = 120
[store]
url = "sqlite:///calls.db"
[line]
url = "simulated://?seed=8"
token = "env:LINE_TOKEN"
secret = "env:LINE_SECRET"
ring_timeout_s = 20
max_duration_s = 1800
reconcile_every_s = 0.5
lost_after_s = 60.5
[events]
url = "memory://"
[[accounts]]
id = "acme"
concurrent_max = 10
calls_per_minute = 600
daily_calls_max = 100000
daily_minutes_max = 90000
  [[accounts.api_keys]]
  id = "ops"
  sha256 = "{HASH}"
  [[accounts.agents]]
  id = "7f6c"
  name = "Reminder"
  status = "paused"
  route = "from-kataven"
  [[accounts.phone_numbers]]
  id = "0b1d"
  e164 = "+14155550100"
  outbound_enabled = false
"""
ENVIRON = {"LINE_TOKEN": "t0ken", "LINE_SECRET": "whsec_c2VjcmV0"}
AGENT = Agent(id="7f6c", name="Reminder", status=AgentStatus.PAUSED, route="from-kataven")
NUMBER = OutboundNumber(id="0b1d", e164=PhoneNumber("+14155550100"), outbound_enabled=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kataven.toml"


def load(file: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    file.write_text(text, encoding="utf-8")
    return load_config(file, environ or {})


def refusal(file: Path, text: str, environ: dict[str, str] | None = None) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        load(file, text, environ)
    assert caught.value.code == "invalid_config"
    return caught.value


def reasons(file: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    """Give the sentences on all wrong keys, and hold the message to them."""
    error = refusal(file, text, environ)
    sentences = [problem.message for problem in error.problems]
    assert error.message == f"{file}: {'; '.join(sentences)}"
    assert all(problem.message.startswith(f"{problem.field}: ") for problem in error.problems)
    return sentences


# What is read


def test_every_key_is_read(file: Path) -> None:
    assert load(file, WHOLE, ENVIRON) == Config(
        server=ServerConfig(
            host="0.0.0.0",  # noqa: S104 - nothing listens
            port=0,
            public_url="https://calls.example.com",
            retry_delay_min_s=1,
            max_body_bytes=20_000_000,
            max_streams=5,
            requests_per_minute=120,
        ),
        store=StoreConfig(url="sqlite:///calls.db"),
        line=LineConfig(
            url="simulated://?seed=8",
            token="t0ken",  # noqa: S106 - made up
            secret="whsec_c2VjcmV0",  # noqa: S106 - made up
            ring_timeout_s=20,
            max_duration_s=1800,
            reconcile_every_s=0.5,
            lost_after_s=60.5,
        ),
        events=EventsConfig(url="memory://"),
        accounts=(
            AccountConfig(
                id="acme",
                concurrent_max=10,
                calls_per_minute=600,
                daily_calls_max=100_000,
                daily_minutes_max=90_000,
                api_keys=(ApiKeyConfig(id="ops", sha256=HASH),),
                agents=(AGENT,),
                phone_numbers=(NUMBER,),
            ),
        ),
    )


def test_an_empty_file_is_all_defaults(file: Path) -> None:
    config = load(file, "")
    assert config == Config()
    assert (config.server.host, config.server.port, config.server.public_url) == ("127.0.0.1", 8080, None)
    assert config.server.retry_delay_min_s == 60
    assert config.server.max_body_bytes == 10 * 1024 * 1024 + 64 * 1024
    assert (config.server.max_streams, config.server.requests_per_minute) == (1000, None)
    assert (config.store.url, config.line.url, config.events.url) == (
        "sqlite:///kataven.db",
        "simulated://",
        "memory://",
    )
    assert (config.line.token, config.line.secret) == (None, None)
    line = config.line
    assert (line.ring_timeout_s, line.max_duration_s, line.reconcile_every_s, line.lost_after_s) == (30, 3600, 30, 120)
    assert config.accounts == ()
    assert config.warnings == ()


def test_a_key_s_hash_is_read_in_any_case(file: Path) -> None:
    text = f'[[accounts]]\nid = "a"\napi_keys = [{{id = "k", sha256 = "{HASH.upper()}"}}]'
    assert load(file, text).accounts[0].api_keys[0].sha256 == HASH


def test_the_path_may_be_text_and_the_file_may_begin_with_a_byte_order_mark(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[server]\nport = 81\n")
    assert load_config(str(file)).server.port == 81


def test_an_account_is_the_core_s_without_its_keys(file: Path) -> None:
    [config] = load(file, WHOLE, ENVIRON).accounts
    assert config.account() == Account(
        id=config.account().id,
        caps=Caps(concurrent_max=10, calls_per_minute=600, daily_calls_max=100_000, daily_minutes_max=90_000),
        agents=(AGENT,),
        phone_numbers=(NUMBER,),
    )
    assert config.account().id == "acme"


def test_an_omitted_cap_is_no_limit(file: Path) -> None:
    [config] = load(file, '[[accounts]]\nid = "a"').accounts
    assert config.account() == Account(id=config.account().id)
    assert config.account().caps.concurrent_max == NO_LIMIT


# What the line is told


@pytest.mark.parametrize("public_url", ["https://calls.example.com/voice", "https://calls.example.com/voice/"])
def test_the_line_is_told_what_opens_the_dialer_and_where_it_reports(file: Path, public_url: str) -> None:
    assert load(file, WHOLE, ENVIRON).line.options(public_url) == LineOptions(
        token="t0ken",  # noqa: S106 - made up
        secret="whsec_c2VjcmV0",  # noqa: S106 - made up
        report_url="https://calls.example.com/voice/lines/http/reports",
        ring_timeout_s=20,
        max_duration_s=1800,
    )


def test_no_call_is_up_when_it_has_rung_and_talked_as_long_as_it_may_and_a_while_more(file: Path) -> None:
    assert load(file, WHOLE, ENVIRON).line.longest_call_s == 20 + 1800 + 90
    assert LineConfig().longest_call_s == EngineSettings().longest_call_s


# Secrets


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("store", "url", "postgresql://me:pw@db/calls"),
        ("events", "url", "nats://me:pw@bus"),
        ("line", "url", "asterisk://me:pw@pbx/app"),
        ("line", "token", "pw"),
        ("line", "secret", "whsec_cHc="),
    ],
)
def test_what_may_be_secret_comes_from_the_environment_and_is_in_no_repr(
    file: Path, table: str, key: str, value: str
) -> None:
    config = load(file, f'[{table}]\n{key} = "env:KEPT"', {"KEPT": value})
    assert getattr(getattr(config, table), key) == value
    assert "pw" not in repr(config)


def test_the_process_s_environment_is_read_unless_another_is_given(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATAVEN_TEST_TOKEN", "from the process")
    file.write_text('[line]\ntoken = "env:KATAVEN_TEST_TOKEN"')
    assert load_config(file).line.token == "from the process"  # noqa: S105 - made up
    with pytest.raises(InvalidValue, match="KATAVEN_TEST_TOKEN"):
        load_config(file, {})


@pytest.mark.parametrize(
    ("written", "environ", "name"),
    [("env:GONE", {}, "'GONE'"), ("env:EMPTY", {"EMPTY": ""}, "'EMPTY'"), ("env:", {}, "''")],
)
def test_a_variable_that_is_not_there_is_named(file: Path, written: str, environ: dict[str, str], name: str) -> None:
    assert reasons(file, f'[line]\nsecret = "{written}"', environ) == [
        f"line.secret: names the environment variable {name}, which is not set or empty: set it"
    ]


def test_no_message_holds_a_secret(file: Path) -> None:
    error = refusal(file, '[line]\nsecret = "hunter2"\n[server]\nport = -1')
    assert "hunter2" not in error.message
    assert [problem.field for problem in error.problems] == ["line.secret", "server.port"]


def test_a_hash_is_in_no_repr() -> None:
    assert HASH not in repr(ApiKeyConfig(id="ops", sha256=HASH))


# Warnings


@pytest.mark.parametrize(("ring_s", "shown"), [("14.9", "14.9"), ("1", "1")])
def test_a_short_ring_timeout_is_taken_with_a_warning(file: Path, ring_s: str, shown: str) -> None:
    config = load(file, f"[line]\nring_timeout_s = {ring_s}")
    assert config.warnings == (
        f"line.ring_timeout_s is {shown}: calls that are given up before 15 s have often not rung",
    )


def test_a_usual_ring_timeout_needs_no_warning(file: Path) -> None:
    assert load(file, "[line]\nring_timeout_s = 15").warnings == ()


# What is refused

ACCOUNT = '[[accounts]]\nid = "acme"\n'
NO_E164 = "is no E.164 number: write + and 7 to 15 digits, the first 1 to 9"
NO_SLUG = "is no account id: use 1 to 63 of a-z, 0-9, - and _, beginning with a letter or a digit"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sever = 1", "sever: there is no such key: did you mean server"),
        ("[server]\nprot = 1", "server.prot: there is no such key: did you mean port"),
        ("[store]\nxyz = 1", "store.xyz: there is no such key: leave it out"),
        ("[events]\nxyz = 1", "events.xyz: there is no such key: leave it out"),
        ("[line]\nring_timeout = 1", "line.ring_timeout: there is no such key: did you mean ring_timeout_s"),
        (ACCOUNT + "concurent_max = 1", "accounts[0].concurent_max: there is no such key: did you mean concurrent_max"),
        (
            ACCOUNT + '[[accounts.agents]]\nid = "a"\nnmae = "b"',
            "accounts[0].agents[0].nmae: there is no such key: did you mean name",
        ),
        ("server = 1", "server: must be an object"),
        ("accounts = 1", "accounts: must be an array"),
        ("accounts = [1]", "accounts[0]: must be an object"),
        ("[[server]]", "server: must be an object"),
        ("[accounts]", "accounts: must be an array"),
        ('[server]\nport = "8080"', "server.port: must be an integer"),
        ("[server]\nport = 80.5", "server.port: must be an integer"),
        ("[server]\nport = true", "server.port: must be an integer"),
        ("[server]\nhost = 1", "server.host: must be a string"),
        ("[server]\nhost = 2026-01-31", "server.host: must be a string"),
        ('[line]\nlost_after_s = "1"', "line.lost_after_s: must be a number"),
        ("[line]\ntoken = 1", "line.token: must be a string"),
        ("[store]\nurl = 1", "store.url: must be a string"),
        (ACCOUNT + "agents = {}", "accounts[0].agents: must be an array"),
        ("[[accounts]]", "accounts[0].id: is missing"),
        (ACCOUNT + f'[[accounts.api_keys]]\nsha256 = "{HASH}"', "accounts[0].api_keys[0].id: is missing"),
        (ACCOUNT + '[[accounts.api_keys]]\nid = "k"', "accounts[0].api_keys[0].sha256: is missing"),
        (ACCOUNT + '[[accounts.phone_numbers]]\nid = "p"', "accounts[0].phone_numbers[0].e164: is missing"),
        (
            ACCOUNT + '[[accounts.phone_numbers]]\nid = "p"\ne164 = "14155550100"',
            f"accounts[0].phone_numbers[0].e164: '14155550100' {NO_E164}",
        ),
        (
            ACCOUNT + '[[accounts.phone_numbers]]\nid = "p"\ne164 = "+14155550100"\noutbound_enabled = 1',
            "accounts[0].phone_numbers[0].outbound_enabled: must be true or false",
        ),
        (
            ACCOUNT + '[[accounts.agents]]\nid = "a"\nstatus = "activ"',
            "accounts[0].agents[0].status: must be one of draft, active, paused, archived",
        ),
        (
            '[[accounts]]\nid = "Acme Inc"',
            f"accounts[0].id: 'Acme Inc' {NO_SLUG}",
        ),
        (
            ACCOUNT + '[[accounts.api_keys]]\nid = "k"\nsha256 = "abc"',
            "accounts[0].api_keys[0].sha256: is no SHA-256: write the 64 hex digits that `kataven keys new` prints",
        ),
        (
            ACCOUNT + f'[[accounts.api_keys]]\nid = " "\nsha256 = "{HASH}"',
            "accounts[0].api_keys[0].id: is blank: give it, or leave the key out",
        ),
        ('[server]\nhost = ""', "server.host: is blank: give it, or leave the key out"),
        ('[store]\nurl = " "', "store.url: is blank: give it, or leave the key out"),
        ('[line]\nurl = ""', "line.url: is blank: give it, or leave the key out"),
        ('[line]\ntoken = ""', "line.token: is blank: give it, or leave the key out"),
        ('[events]\nurl = ""', "events.url: is blank: give it, or leave the key out"),
        *(
            (
                f'[line]\nsecret = "{secret}"',
                "line.secret: is no signing secret: write whsec_ and base64, as openssl rand -base64 24 gives it",
            )
            for secret in ("abc", "whsec_", "whsec_abc", "whsec_a-b=")
        ),
        (
            '[server]\npublic_url = "calls.example.com"',
            "server.public_url: is no web address: write it as https://calls.example.com",
        ),
    ],
)
def test_a_wrong_key_is_named_with_the_reason(file: Path, text: str, reason: str) -> None:
    assert reasons(file, text) == [reason]


RANGES = [
    ("server.port", 0, 65_535, 1),
    ("server.retry_delay_min_s", 0, 60, 1),
    ("server.max_body_bytes", 65_536, 2**30, 1),
    ("server.max_streams", 0, 100_000, 1),
    ("server.requests_per_minute", 1, 1_000_000, 1),
    ("line.ring_timeout_s", 0.1, 600, 0.05),
    ("line.max_duration_s", 0.1, 86_400, 0.05),
    ("line.reconcile_every_s", 0.1, 3_600, 0.05),
    ("line.lost_after_s", 10, 86_400, 0.05),
    ("accounts[0].concurrent_max", 0, NO_LIMIT, 1),
    ("accounts[0].calls_per_minute", 0, NO_LIMIT, 1),
    ("accounts[0].daily_calls_max", 0, NO_LIMIT, 1),
    ("accounts[0].daily_minutes_max", 0, NO_LIMIT, 1),
]


@pytest.mark.parametrize(("path", "low", "high", "step"), RANGES)
def test_a_number_is_taken_within_its_range_only(file: Path, path: str, low: float, high: float, step: float) -> None:
    table, _, key = path.partition(".")
    head = ACCOUNT if table.startswith("accounts") else f"[{table}]\n"

    def value(number: float) -> Any:
        config: Any = load(file, f"{head}{key} = {number}")
        parent = config.accounts[0] if table.startswith("accounts") else getattr(config, table)
        return getattr(parent, key)

    assert (value(low), value(high)) == (low, high)
    for outside in (low - step, high + step):
        sentence = f"{path}: must be from {low} to {high}, not {outside}"
        assert reasons(file, f"{head}{key} = {outside}") == [sentence]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_what_is_no_real_number_is_out_of_range(file: Path, number: str) -> None:
    assert reasons(file, f"[line]\nring_timeout_s = {number}") == [
        f"line.ring_timeout_s: must be from 0.1 to 600, not {number}"
    ]


def test_values_made_by_hand_are_held_to_the_same_ranges() -> None:
    with pytest.raises(InvalidValue, match="must be from 0 to 65535, not 65536"):
        ServerConfig(port=65_536)
    assert ServerConfig(requests_per_minute=None).requests_per_minute is None


def test_all_wrong_keys_are_in_one_error(file: Path) -> None:
    text = """
strange = 1
[server]
port = 70000
max_streams = -1
host = 5
[line]
secret = "env:GONE"
ring_timeout_s = 0
[[accounts]]
id = "acme"
[[accounts]]
id = "acme"
concurrent_max = "1"
calls_per_minute = -1
[[accounts]]
"""
    assert reasons(file, text) == [
        "accounts[1].calls_per_minute: must be from 0 to 2147483647, not -1",
        "accounts[1].concurrent_max: must be an integer",
        "accounts[1].id: stands twice: each needs its own",
        "accounts[2].id: is missing",
        "line.ring_timeout_s: must be from 0.1 to 600, not 0",
        "line.secret: names the environment variable 'GONE', which is not set or empty: set it",
        "server.host: must be a string",
        "server.max_streams: must be from 0 to 100000, not -1",
        "server.port: must be from 0 to 65535, not 70000",
        "strange: there is no such key: did you mean store",
    ]


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("agents", 'id = "x"'),
        ("phone_numbers", 'id = "x", e164 = "+14155550100"'),
    ],
)
def test_an_id_stands_once_in_its_list(file: Path, kind: str, item: str) -> None:
    twice = f"{kind} = [{{{item}}}, {{{item}}}]\n"
    assert reasons(file, f"{ACCOUNT}{twice}") == [f"accounts[0].{kind}[1].id: stands twice: each needs its own"]
    once = f"{kind} = [{{{item}}}]\n"
    config = load(file, f'{ACCOUNT}{once}[[accounts]]\nid = "other"\n{once}')
    assert [len(getattr(each, kind)) for each in config.accounts] == [1, 1]


def test_ids_that_differ_in_case_are_two(file: Path) -> None:
    assert len(load(file, f'{ACCOUNT}agents = [{{id = "x"}}, {{id = "X"}}]').accounts[0].agents) == 2


def test_an_api_key_belongs_to_one_account(file: Path) -> None:
    def accounts(first: str, second: str) -> str:
        return "".join(
            f'[[accounts]]\nid = "{name}"\napi_keys = [{{id = "ops", sha256 = "{sha256}"}}]\n'
            for name, sha256 in (("a", first), ("b", second))
        )

    assert len(load(file, accounts(HASH, OTHER_HASH)).accounts) == 2
    sentence = "accounts[1].api_keys[0].sha256: stands twice: each needs its own"
    assert reasons(file, accounts(HASH, HASH.upper())) == [sentence]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    with pytest.raises(InvalidValue) as caught:
        load_config(file)
    assert caught.value.message == f"{file}: there is no such file: check the name and the folder"


def test_a_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue) as caught:
        load_config(tmp_path)
    assert caught.value.message == f"{tmp_path}: it can't be read: Is a directory"


def test_wrong_syntax_is_told_with_its_line(file: Path) -> None:
    message = refusal(file, "[server]\nport = \n").message
    assert re.fullmatch(rf"{re.escape(str(file))}: it is no TOML: .*\(at line 2, column 8\)", message)


def test_a_key_given_twice_is_told(file: Path) -> None:
    message = refusal(file, "[server]\nport = 1\nport = 2").message
    assert message.startswith(f"{file}: it is no TOML: Cannot overwrite a value (at ")


def test_other_encodings_are_told_with_their_line(file: Path) -> None:
    file.write_bytes(b'[server]\n# caf\xe9\nhost = "a"\n')
    with pytest.raises(InvalidValue) as caught:
        load_config(file)
    assert caught.value.message == f"{file}: it is no UTF-8 (at line 2): save it as UTF-8"
