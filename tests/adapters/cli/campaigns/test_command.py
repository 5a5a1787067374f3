"""The actions that are one question and one answer, and what all of them share."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from kataven_adapters.cli import main
from kataven_adapters.client import KatavenClient

Run = Callable[..., tuple[int, str, str]]

KEY = "sk_live_acme_0123456789"
CAMPAIGN = {
    "id": "c1",
    "name": "Spring \x1b[2J\u202e",
    "agent_id": "a",
    "status": "running",
    "scheduled_at": None,
    "created_at": "2026-01-02T03:04:05Z",
}
COMMAND = [sys.executable, "-m", "kataven_adapters.cli", "campaigns"]
WITHOUT_HTTPX = "import sys; sys.modules['httpx'] = None; from kataven_adapters.cli import main; sys.exit(main())"
WHAT_IS_LOADED = """
import sys
from kataven_adapters.cli import main
try:
    main(["campaigns", "list", "--help"])
finally:
    sys.exit("httpx" in sys.modules or "rich" in sys.modules)
"""


@pytest.fixture
def campaigns(
    scripted: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("KATAVEN_API_KEY", KEY)
    monkeypatch.setenv("KATAVEN_BASE_URL", scripted.url)

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(["campaigns", *words])
        except SystemExit as end:
            code = int(str(end.code))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_campaigns_are_listed_in_columns(scripted: Any, campaigns: Run) -> None:
    scripted.answers({"campaigns": [CAMPAIGN, CAMPAIGN | {"id": "c-22", "status": "draft", "name": "A"}], "count": 2})
    code, out, err = campaigns("list")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "ID    STATUS   CREATED AT            NAME",
        r"c1    running  2026-01-02T03:04:05Z  Spring \x1b[2J\u202e",
        "c-22  draft    2026-01-02T03:04:05Z  A",
    ]
    assert scripted.asked[0].headers["Authorization"] == f"Bearer {KEY}"


def test_that_there_are_none_is_said(scripted: Any, campaigns: Run) -> None:
    scripted.answers({"campaigns": [], "count": 0})
    assert campaigns("list") == (0, "there are no campaigns\n", "")


def test_a_campaign_is_shown_member_by_member(scripted: Any, campaigns: Run) -> None:
    scripted.answers(CAMPAIGN)
    code, out, _ = campaigns("get", "c1")
    assert code == 0
    assert out.splitlines() == [
        "id            c1",
        r"name          Spring \x1b[2J\u202e",
        "agent_id      a",
        "status        running",
        "scheduled_at  -",
        "created_at    2026-01-02T03:04:05Z",
    ]


@pytest.mark.parametrize("operation", ["start", "pause", "resume", "stop"])
def test_a_campaign_is_moved_once(scripted: Any, campaigns: Run, operation: str) -> None:
    scripted.answers(CAMPAIGN)
    assert campaigns(operation, "c1", "--idempotency-key", "k") == (0, "c1: running\n", "")
    asked = scripted.asked[0]
    assert (asked.method, asked.target) == ("POST", f"/api/v1/campaigns/c1/{operation}")
    assert asked.headers["Idempotency-Key"] == "k"


def test_a_campaign_is_deleted(scripted: Any, campaigns: Run) -> None:
    scripted.answers((204, ""), (204, ""))
    assert campaigns("delete", "c1") == (0, "c1: deleted\n", "")
    assert json.loads(campaigns("delete", "c1", "--json")[1]) == {"id": "c1", "deleted": True}
    assert scripted.asked[0].method == "DELETE"


@pytest.mark.parametrize("words", [("list",), ("get", "c1"), ("start", "c1"), ("stop", "c1")])
def test_programs_get_what_the_server_answers(scripted: Any, campaigns: Run, words: tuple[str, ...]) -> None:
    scripted.answers(CAMPAIGN)
    code, out, err = campaigns(*words, "--json")
    assert (code, json.loads(out), err) == (0, CAMPAIGN, "")
    assert len(out.splitlines()) == 1


def test_server_and_account_are_named_by_options(
    scripted: Any, campaigns: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KATAVEN_BASE_URL", "http://127.0.0.1:1")
    scripted.answers(CAMPAIGN)
    assert campaigns("get", "c1", "--base-url", f"{scripted.url}/voice/", "--account", "acme")[0] == 0
    assert scripted.asked[0].target == "/voice/api/v1/campaigns/c1"
    assert scripted.asked[0].headers["X-Account-ID"] == "acme"


def test_a_refusal_is_one_sentence(scripted: Any, campaigns: Run) -> None:
    detail = "start is not allowed: the campaign is running\nand \x1b[2Jmore"
    scripted.answers(web.json_response({"code": "conflict", "detail": detail}, status=409))
    sentence = "kataven campaigns start: start is not allowed: the campaign is running\\nand \\x1b[2Jmore\n"
    assert campaigns("start", "c1") == (1, "", sentence)


def test_a_server_that_can_not_be_reached_is_one_sentence(campaigns: Run) -> None:
    code, out, err = campaigns("list", "--base-url", "http://127.0.0.1:1")
    assert (code, out) == (1, "")
    assert err.startswith("kataven campaigns list: http://127.0.0.1:1 can't be reached (")
    assert err.endswith("): check that it runs, and --base-url (or KATAVEN_BASE_URL)\n")
    assert err.count("\n") == 1


def test_an_id_that_is_none_is_never_asked_for(scripted: Any, campaigns: Run) -> None:
    assert campaigns("stop", "../c1") == (
        1,
        "",
        "kataven campaigns stop: no campaign has the id '../c1': check the id\n",
    )
    assert scripted.asked == []


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_a_key_comes_from_the_environment_alone(
    campaigns: Run, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.delenv("KATAVEN_API_KEY")
    if key is not None:
        monkeypatch.setenv("KATAVEN_API_KEY", key)
    sentence = "kataven campaigns list: there is no API key: set KATAVEN_API_KEY in the environment\n"
    assert campaigns("list") == (2, "", sentence)
    code, out, err = campaigns("list", "--api-key", "sk")
    assert (code, out) == (2, "")
    assert "unrecognized arguments: --api-key" in err


@pytest.mark.parametrize(
    "words", [(), ("strat", "c1"), ("get",), ("get", "c1", "c2"), ("list", "--base-url", "x"), ("list", "--jsn")]
)
def test_wrong_words_are_wrong_usage(campaigns: Run, words: tuple[str, ...]) -> None:
    code, out, err = campaigns(*words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


def test_an_interrupt_is_one_sentence(campaigns: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: KatavenClient) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(KatavenClient, "__enter__", interrupted)
    assert campaigns("list") == (1, "", "kataven campaigns list: interrupted\n")


def test_without_httpx_the_extra_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_HTTPX, "campaigns", "list"], capture_output=True, check=False, text=True
    )
    sentence = "kataven campaigns list: it needs httpx: pip install 'kataven-core[client]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


def test_httpx_is_loaded_only_when_an_action_runs() -> None:
    done = subprocess.run([sys.executable, "-c", WHAT_IS_LOADED], capture_output=True, check=False)
    assert done.returncode == 0
