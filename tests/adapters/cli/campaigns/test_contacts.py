import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kataven_adapters.cli import main

Run = Callable[..., tuple[int, str, str]]

CSV = "line,column,code,message,value\r\n3,phone_number,invalid_number,é,x\r\n"


@pytest.fixture
def campaigns(
    scripted: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    monkeypatch.setenv("KATAVEN_API_KEY", "sk_live_acme_0123456789")
    monkeypatch.setenv("KATAVEN_BASE_URL", scripted.url)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(["campaigns", *words])
        except SystemExit as end:
            code = int(str(end.code))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def contact(position: int, **members: object) -> dict[str, object]:
    number = f"+1415555{position:04d}"
    return {"id": "x", "position": position, "phone_number": number, "status": "pending", "attempts": 0} | members


def page(number: int, *contacts: dict[str, object], total: int, has_next: bool = False) -> dict[str, Any]:
    return {"contacts": contacts, "page": number, "page_size": 2, "total": total, "has_next": has_next}


def test_a_page_is_listed_in_columns_and_the_next_one_named(scripted: Any, campaigns: Run) -> None:
    scripted.answers(page(0, contact(0), contact(1, status="failed", last_outcome="busy"), total=3, has_next=True))
    code, out, err = campaigns("contacts", "c1")
    assert code == 0
    assert out.splitlines() == [
        "POSITION  PHONE NUMBER  STATUS   ATTEMPTS  LAST OUTCOME  NEXT ATTEMPT AT",
        "0         +14155550000  pending  0         -             -",
        "1         +14155550001  failed   0         busy          -",
    ]
    assert err == "3 contacts: --page 1 lists the next, --all all\n"
    assert scripted.asked[0].target == "/api/v1/campaigns/c1/contacts?page=0"


def test_status_and_page_are_asked_for(scripted: Any, campaigns: Run) -> None:
    scripted.answers(page(7, contact(0), total=1))
    assert campaigns("contacts", "c1", "--status", "failed", "--page", "7")[2] == "1 contact\n"
    assert scripted.asked[0].target == "/api/v1/campaigns/c1/contacts?status=failed&page=7"


def test_all_pages_are_one_list(scripted: Any, campaigns: Run) -> None:
    scripted.answers(page(0, contact(0), contact(1), total=3, has_next=True), page(1, contact(2), total=3))
    code, out, err = campaigns("contacts", "c1", "--all")
    assert (code, err) == (0, "3 contacts\n")
    assert [line.split()[0] for line in out.splitlines()] == ["POSITION", "0", "1", "2"]
    assert [each.target[-6:] for each in scripted.asked] == ["page=0", "page=1"]


def test_programs_get_a_page_as_it_is_or_a_line_for_each_contact(scripted: Any, campaigns: Run) -> None:
    first, second = page(0, contact(0), contact(1), total=3, has_next=True), page(1, contact(2), total=3)
    scripted.answers(first, first, second)
    code, out, err = campaigns("contacts", "c1", "--json")
    assert (code, json.loads(out), err) == (0, json.loads(json.dumps(first)), "")
    code, out, err = campaigns("contacts", "c1", "--json", "--all")
    assert [json.loads(line)["position"] for line in out.splitlines()] == [0, 1, 2]
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("answer", "err"), [({}, "- contacts\n"), ({"contacts": [1, {}], "total": "\x1b"}, "\\x1b contacts\n")]
)
def test_what_a_server_makes_up_does_no_harm(scripted: Any, campaigns: Run, answer: dict[str, Any], err: str) -> None:
    scripted.answers(answer)
    assert campaigns("contacts", "c1")[::2] == (0, err)


@pytest.mark.parametrize("words", [("--page", "-1"), ("--page", "x"), ("--status", "done"), ("--page", "1", "--all")])
def test_wrong_words_are_wrong_usage(scripted: Any, campaigns: Run, words: tuple[str, ...]) -> None:
    assert campaigns("contacts", "c1", *words)[0] == 2
    assert scripted.asked == []


def test_rejects_are_printed_as_they_come(scripted: Any, campaigns: Run) -> None:
    scripted.answers((200, CSV))
    code, out, err = campaigns("rejects", "c1")
    assert (code, out.replace("\r\n", "\n"), err) == (0, CSV.replace("\r\n", "\n"), "")
    assert scripted.asked[0].target == "/api/v1/campaigns/c1/rejects"


def test_rejects_are_written_to_a_file(scripted: Any, campaigns: Run) -> None:
    scripted.answers((200, CSV))
    assert campaigns("rejects", "c1", "--output", "rejects.csv") == (0, "", "")
    assert Path("rejects.csv").read_bytes() == CSV.encode()


def test_where_there_are_none_no_file_is_written_over(scripted: Any, campaigns: Run) -> None:
    Path("rejects.csv").write_text("precious")
    scripted.answers((404, "no such campaign"))
    sentence = "kataven campaigns rejects: no such campaign\n"
    assert campaigns("rejects", "c1", "--output", "rejects.csv") == (1, "", sentence)
    assert Path("rejects.csv").read_text() == "precious"


def test_a_file_that_can_not_be_written_is_told_before_anything_is_asked(scripted: Any, campaigns: Run) -> None:
    code, _, err = campaigns("rejects", "c1", "--output", "none/rejects.csv")
    assert code == 1
    assert err.startswith("kataven campaigns rejects: --output none/rejects.csv: it can't be written")
    assert scripted.asked == []
