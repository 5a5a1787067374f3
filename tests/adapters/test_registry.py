import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kataven_adapters import registry
from kataven_adapters.http_line import HttpLine
from kataven_adapters.memory import MemoryStore
from kataven_adapters.registry import BuiltIn, line_from_url, store_from_url
from kataven_adapters.simulated import SimulatedLine
from kataven_adapters.sqlite import SqliteStore
from kataven_core import AdapterFault
from kataven_core.ports import LineOptions

Offer = Callable[..., None]
KNOWN = "http://, https://, simulated://"
FORMS = "this is no URL of a line: write it as simulated://?seed=7 or http://HOST:PORT or https://HOST:PORT"
OPTIONS = LineOptions(
    token="t0ken",  # noqa: S106 - made up
    secret="whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3M=",  # noqa: S106 - made up
    report_url="https://calls.example.com/lines/http/reports",
)


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 31, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Give a function that installs a distribution with one module and its entry points, for this test."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, entry_points: str, source: str = "") -> None:
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.setitem(sys.modules, name, None)  # so that it is gone after the test, whatever it becomes
        monkeypatch.delitem(sys.modules, name)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points)

    return install


@pytest.fixture
def stores() -> Iterator[dict[str, BuiltIn]]:
    """Give the table of the stores that are built in, to be changed for this test."""
    table: Mapping[str, BuiltIn] = registry.STORES
    assert isinstance(table, dict)
    before = dict(table)
    yield table
    table.clear()
    table.update(before)


def fault_of(url: str) -> AdapterFault:
    with pytest.raises(AdapterFault) as caught:
        store_from_url(url)
    return caught.value


def refusal(url: str) -> str:
    fault = fault_of(url)
    assert fault.code == "invalid_url"
    return fault.message


def line_refusal(url: str) -> str:
    with pytest.raises(AdapterFault) as caught:
        line_from_url(url, StoppedClock())
    assert caught.value.code == "invalid_url"
    return caught.value.message


# What is built in


def test_a_memory_store_is_built_in() -> None:
    assert isinstance(store_from_url("memory://"), MemoryStore)


def test_a_sqlite_store_is_built_in(tmp_path: Path) -> None:
    assert isinstance(store_from_url(f"sqlite:///{tmp_path}/calls.db"), SqliteStore)


def test_a_simulated_line_is_built_in() -> None:
    line = line_from_url("simulated://?answer=1", StoppedClock())
    assert isinstance(line, SimulatedLine)
    assert line.calls_up == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_line_to_a_dialer_of_one_s_own_is_built_in(scheme: str) -> None:
    line = line_from_url(f"{scheme}://pbx.example.com:9000", StoppedClock(), OPTIONS)
    assert isinstance(line, HttpLine)
    assert line.trouble == "the line is not open"


def test_a_line_to_a_dialer_of_one_s_own_takes_a_secret() -> None:
    assert line_refusal("http://pbx.example.com:9000").startswith("the HTTP line can't be used: it takes a secret")


def test_what_is_made_is_not_opened(tmp_path: Path) -> None:
    line_from_url(f"simulated://?log={tmp_path}/phones.jsonl", StoppedClock())
    store_from_url(f"sqlite:///{tmp_path}/calls.db")
    assert list(tmp_path.iterdir()) == []


def test_an_adapter_s_own_refusal_comes_through() -> None:
    assert refusal("memory://calls").endswith("write memory://")
    assert line_refusal("simulated://?sead=1").startswith("simulated://: 'sead' is no parameter")


# What is no URL, or names nothing


def test_an_unknown_scheme_is_told_what_there_is() -> None:
    assert refusal("oracle://host/db") == "there is no store of the kind oracle://, there is memory://, sqlite://"
    assert line_refusal("oracle://host") == f"there is no line of the kind oracle://, there is {KNOWN}"


@pytest.mark.parametrize(("written", "meant"), [("sqlite3", "sqlite"), ("memry", "memory")])
def test_an_unknown_scheme_is_told_what_was_likely_meant(written: str, meant: str) -> None:
    assert refusal(f"{written}:///x") == (
        f"there is no store of the kind {written}://, there is memory://, sqlite://: did you mean {meant}://"
    )


@pytest.mark.parametrize("text", ["kataven.db", "./calls.sqlite3", "/var/lib/kataven/calls.db", "my calls.db"])
def test_the_name_of_a_file_is_told_its_url(text: str) -> None:
    assert refusal(text) == f"{text!r} is no URL of a store: did you mean sqlite:///{text}"


@pytest.mark.parametrize("text", ["", "memory", "sqlite:calls.db", "://", "SQLITE:///x", "1x://y", "user:pw@host/db"])
def test_what_is_no_url_is_told_how_one_is_written(text: str) -> None:
    assert refusal(text) == "this is no URL of a store: write it as memory:// or sqlite:///PATH"


def test_what_is_no_url_of_a_line_is_told_how_one_is_written() -> None:
    assert line_refusal("simulated") == FORMS
    assert line_refusal("calls.db") == FORMS


@pytest.mark.parametrize(
    "url", ["postgresql://me:hunter2@host/db", "me:hunter2@host", "hunter2@host.db", "a:hunter2.db"]
)
def test_no_message_holds_a_password(url: str) -> None:
    assert "hunter2" not in refusal(url)
    assert "hunter2" not in line_refusal(url)


# What is not installed


def test_a_missing_driver_is_told_its_extra(stores: dict[str, BuiltIn], offer: Offer) -> None:
    offer("lacking_adapter", "", "import a_driver_that_is_not_there.aio")
    stores["lacking"] = BuiltIn("lacking_adapter:make", "lacking://", extra="lacking")
    fault = fault_of("lacking://me:hunter2@host")
    assert fault.code == "missing_extra"
    assert fault.message == "lacking:// needs a_driver_that_is_not_there: pip install 'kataven-core[lacking]'"


def test_a_missing_module_of_our_own_is_no_missing_extra(stores: dict[str, BuiltIn]) -> None:
    stores["gone"] = BuiltIn("kataven_adapters.gone:make", "gone://", extra="gone")
    with pytest.raises(ModuleNotFoundError, match=r"kataven_adapters\.gone"):
        store_from_url("gone://")


def test_a_missing_module_of_an_adapter_without_extra_is_a_bug(stores: dict[str, BuiltIn]) -> None:
    stores["gone"] = BuiltIn("a_driver_that_is_not_there:make", "gone://")
    with pytest.raises(ModuleNotFoundError, match="a_driver_that_is_not_there"):
        store_from_url("gone://")


# What others offer


def test_others_join_by_an_entry_point(offer: Offer) -> None:
    source = (
        "def store(url): return ('store', url)\ndef line(url, clock, options): return ('line', url, clock, options)"
    )
    points = "[kataven_core.stores]\nacme = acme_calls:store\n[kataven_core.lines]\nacme = acme_calls:line\n"
    offer("acme_calls", points, source)
    clock = StoppedClock()
    made: tuple[Any, Any] = store_from_url("acme://db"), line_from_url("acme://pbx", clock, OPTIONS)
    assert made == (("store", "acme://db"), ("line", "acme://pbx", clock, OPTIONS))


def test_a_line_that_is_told_nothing_is_given_options_that_say_nothing(offer: Offer) -> None:
    offer(
        "acme_calls",
        "[kataven_core.lines]\nacme = acme_calls:line\n",
        "def line(url, clock, options): return options",
    )
    made: Any = line_from_url("acme://pbx", StoppedClock())
    assert made == LineOptions()
    assert (made.token, made.secret, made.report_url) == (None, None, None)


def test_what_others_offer_is_listed_and_suggested(offer: Offer) -> None:
    offer("acme_calls", "[kataven_core.stores]\nacme = acme_calls:store\n")
    assert refusal("acne://") == (
        "there is no store of the kind acne://, there is acme://, memory://, sqlite://: did you mean acme://"
    )
    assert line_refusal("acme://") == f"there is no line of the kind acme://, there is {KNOWN}"


def test_nobody_takes_over_what_is_built_in(offer: Offer) -> None:
    offer("robber", "[kataven_core.stores]\nmemory = robber:store\n", "raise RuntimeError('it was imported')")
    assert isinstance(store_from_url("memory://"), MemoryStore)


def test_nothing_is_imported_that_was_not_asked_for(offer: Offer) -> None:
    offer("acme_calls", "[kataven_core.stores]\nacme = acme_calls:store\n", "raise RuntimeError('it was imported')")
    refusal("acne://")
    store_from_url("memory://")
    assert "acme_calls" not in sys.modules


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no luck')", "which can't be loaded: RuntimeError: no luck"),
        ("import no_such_driver", "which can't be loaded: ModuleNotFoundError: No module named 'no_such_driver'"),
        ("", "which can't be loaded: AttributeError: module 'acme_calls' has no attribute 'store'"),
        ("store = 5", "which is no function: tell its authors"),
    ],
)
def test_an_offer_that_can_t_be_used_is_named(offer: Offer, source: str, reason: str) -> None:
    offer("acme_calls", "[kataven_core.stores]\nacme = acme_calls:store\n", source)
    fault = fault_of("acme://me:hunter2@host")
    assert fault.code == "broken_adapter"
    assert fault.message == f"acme:// is offered by acme_calls:store of acme_calls, {reason}"


def test_two_offers_of_one_scheme_are_both_named(offer: Offer) -> None:
    offer("acme_calls", "[kataven_core.stores]\nacme = acme_calls:store\n")
    offer("other_calls", "[kataven_core.stores]\nacme = other_calls:make\n")
    fault = fault_of("acme://")
    assert fault.code == "broken_adapter"
    assert fault.message == (
        "acme:// is offered by acme_calls:store of acme_calls and other_calls:make of other_calls: "
        "uninstall all but one"
    )
