import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from kataven_adapters.cli.dial.plan import Plan, Result
from kataven_adapters.cli.dial.report import print_report
from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.config import LineConfig, ServerConfig
from kataven_core import (
    AccountId,
    Campaign,
    CampaignId,
    CampaignStatus,
    Contact,
    ContactStatus,
    Counters,
    CsvOptions,
    Outcome,
    PhoneNumber,
    RejectCode,
    RejectedRow,
)
from kataven_core.ports import CampaignRecord

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAME = CampaignId("c-0")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "file": "contacts.csv",
        "contacts": b"",
        "reading": CsvOptions(),
        "calls": 5,
        "retries": 0,
        "retry_delay_s": 300,
        "store_url": "memory://",
        "line_url": "acme://",
        "is_simulated": False,
        "line": LineConfig(),
        "server": ServerConfig(),
        "results": None,
        "rejects": "rejects.csv",
        "is_again": False,
        "is_json": False,
    }
    return Plan(**(values | changes))  # type: ignore[arg-type] # they are given by their names


def result(
    counters: Counters,
    *,
    rejected: int = 0,
    took: timedelta = timedelta(seconds=2.5),
    status: CampaignStatus = CampaignStatus.COMPLETED,
    contacts: tuple[Contact, ...] = (),
) -> Result:
    is_over = status is CampaignStatus.COMPLETED
    campaign = Campaign(
        id=NAME,
        account_id=AccountId("dial"),
        name="x",
        agent_id="a",
        phone_number_id="n",
        status=status,
        max_concurrent_calls=5,
        retries_per_contact=0,
        retry_delay_seconds=300,
        scheduled_at=None,
        started_at=None if status is CampaignStatus.DRAFT else BEGIN,
        completed_at=BEGIN + took if is_over else None,
        created_at=BEGIN,
        created_by="x",
    )
    rows = tuple(
        RejectedRow(n + 2, "phone_number", RejectCode.INVALID_NUMBER, f"reason {n}", "x") for n in range(rejected)
    )
    return Result(
        record=CampaignRecord(campaign, counters),
        rejected=rows,
        contacts=contacts,
        ended_at=BEGIN + took,
        is_interrupted=not is_over,
    )


DONE = Counters(
    campaign_id=NAME,
    completed=1200,
    failed=34,
    attempts=1300,
    outcomes={Outcome.BUSY: 50, Outcome.ANSWERED: 1200, Outcome.FAILED: 50},
)


def test_the_summary_is_one_table_with_the_commonest_outcome_first(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(result(DONE), plan())
    assert capsys.readouterr().out == (
        "contacts.csv: completed in 2.5 s\n"
        "    1,234  contacts\n"
        "        1,200  completed\n"
        "           34  failed\n"
        "    1,300  attempts\n"
        "        1,200  answered\n"
        "           50  busy\n"
        "           50  failed\n"
    )


def test_one_of_a_thing_is_said_as_people_do(capsys: pytest.CaptureFixture[str]) -> None:
    one = Counters(campaign_id=NAME, completed=1, attempts=1, outcomes={Outcome.ANSWERED: 1})
    print_report(result(one, rejected=1), plan(is_simulated=True))
    assert capsys.readouterr().out == (
        "contacts.csv: completed in 2.5 s on the simulated line: no phone rang\n"
        "        1  contact\n"
        "            1  completed\n"
        "        1  attempt\n"
        "            1  answered\n"
        "        1  row rejected, it is in rejects.csv\n"
        "  contacts.csv:2: phone_number: invalid_number: reason 0\n"
    )


@pytest.mark.parametrize(("rejected", "shown", "more"), [(5, 5, ""), (6, 5, "  ... and 1 more"), (0, 0, "")])
def test_the_first_five_rejected_rows_are_shown(
    capsys: pytest.CaptureFixture[str], rejected: int, shown: int, more: str
) -> None:
    print_report(result(DONE, rejected=rejected), plan())
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("  contacts.csv:")]) == shown
    assert (more in lines) is bool(more)
    assert Path("rejects.csv").exists() is bool(rejected)


@pytest.mark.parametrize(
    ("took", "words"),
    [
        (timedelta(seconds=59.94), "59.9 s"),
        (timedelta(seconds=60), "0:01:00"),
        (timedelta(hours=3, seconds=7.6), "3:00:08"),
        (timedelta(days=2, seconds=1), "2 days, 0:00:01"),
    ],
)
def test_a_long_dial_is_told_in_hours(capsys: pytest.CaptureFixture[str], took: timedelta, words: str) -> None:
    print_report(result(DONE, took=took), plan())
    assert capsys.readouterr().out.startswith(f"contacts.csv: completed in {words}\n")


def test_calls_whose_end_is_not_known_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    counters = Counters(campaign_id=NAME, pending=3, in_progress=2, attempts=2, calls_in_flight=2)
    print_report(result(counters, status=CampaignStatus.PAUSED), plan())
    out = capsys.readouterr().out
    assert out.startswith("contacts.csv: paused in 2.5 s\n")
    assert out.endswith("        2  attempts\n            2  not known yet\n")


def test_json_has_the_duration_until_now_where_it_is_not_over(capsys: pytest.CaptureFixture[str]) -> None:
    counters = Counters(campaign_id=NAME, pending=3)
    for status, duration_s in ((CampaignStatus.PAUSED, 2.5), (CampaignStatus.DRAFT, 0.0)):
        print_report(result(counters, status=status), plan(is_json=True))
        assert json.loads(capsys.readouterr().out) == {
            "campaign_id": "c-0",
            "status": status.value,
            "contacts": {
                "pending": 3,
                "in_progress": 0,
                "completed": 0,
                "failed": 0,
                "cancelled": 0,
                "suppressed": 0,
            },
            "outcomes": {},
            "attempts": 0,
            "duration_s": duration_s,
            "rejected": 0,
        }


def test_results_leave_the_outcome_of_who_was_not_dialled_empty() -> None:
    contacts = (
        Contact(campaign_id=NAME, position=0, phone_number=PhoneNumber("+14155550100"), updated_at=BEGIN),
        Contact(
            campaign_id=NAME,
            position=1,
            phone_number=PhoneNumber("+14155550101"),
            status=ContactStatus.FAILED,
            attempts=2,
            claims=3,
            last_outcome=Outcome.NO_ANSWER,
            updated_at=BEGIN,
        ),
    )
    print_report(result(DONE, contacts=contacts), plan(results="results.csv"))
    assert Path("results.csv").read_bytes() == (
        b"phone_number,status,outcome,attempts\r\n+14155550100,pending,,0\r\n+14155550101,failed,no_answer,2\r\n"
    )


@pytest.mark.parametrize("changes", [{"results": "no/such/folder.csv"}, {"rejects": "no/such/folder.csv"}])
def test_the_result_is_printed_even_where_a_file_cannot_be_written(
    capsys: pytest.CaptureFixture[str], changes: dict[str, object]
) -> None:
    with pytest.raises(CommandFailure, match="it can't be written"):
        print_report(result(DONE, rejected=1), plan(**changes))
    assert capsys.readouterr().out.startswith("contacts.csv: completed in 2.5 s\n")


def test_a_file_name_cannot_break_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(result(DONE, rejected=1), plan(file="a\n\x1b[2J.csv"))
    assert capsys.readouterr().out.splitlines()[0] == "a\\n\\x1b[2J.csv: completed in 2.5 s"


def test_what_there_was_no_time_to_read_is_said_and_nothing_is_written_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("results.csv").write_text("of another day\n")
    cut = evolve(result(DONE), rejected=None, contacts=None)
    print_report(cut, plan(results="results.csv"))
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "there was no time to read which rows were rejected; they are kept in the store",
        "there was no time to write results.csv; what became of each contact is kept in the store",
    ]
    assert Path("results.csv").read_text() == "of another day\n"
    assert not Path("rejects.csv").exists()
    print_report(cut, plan(is_json=True))
    assert json.loads(capsys.readouterr().out)["rejected"] is None
