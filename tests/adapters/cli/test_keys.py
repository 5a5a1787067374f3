import json
import re
import tomllib
from hashlib import sha256

import pytest

from kataven_adapters.cli import main
from kataven_adapters.cli.keys import new_key
from kataven_core import account_id

Out = pytest.CaptureFixture[str]


def test_a_key_names_its_account_and_has_a_secret_of_32_bytes() -> None:
    key, digest = new_key(account_id("ac_me"))
    assert re.fullmatch(r"sk_live_ac_me_[A-Za-z0-9_-]{43}", key)
    assert digest == sha256(key.encode()).hexdigest()
    assert len({new_key(account_id("acme")).key for _ in range(100)}) == 100


def test_it_prints_the_key_once_and_lines_for_the_configuration(capsys: Out) -> None:
    assert main(["keys", "new", "acme", "--id", "ops"]) == 0
    out, err = capsys.readouterr()
    key, _, lines = out.partition("\n")
    assert out.count(key) == 1
    assert key not in err
    assert "shown once" in err
    [read] = tomllib.loads('[[accounts]]\nid = "acme"\n' + lines)["accounts"]
    assert read["api_keys"] == [{"id": "ops", "sha256": sha256(key.encode()).hexdigest()}]


@pytest.mark.parametrize("name", ['a "quoted" \\ one', "Büro 📞", "a"])
def test_any_name_that_can_be_printed_is_written_as_it_is(capsys: Out, name: str) -> None:
    assert main(["keys", "new", "acme", "--id", name]) == 0
    lines = capsys.readouterr().out.partition("\n")[2]
    assert tomllib.loads(f"[[accounts]]\n{lines}")["accounts"][0]["api_keys"][0]["id"] == name


def test_without_a_name_it_has_one_of_its_hash(capsys: Out) -> None:
    assert main(["keys", "new", "acme", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert list(made) == ["account", "id", "key", "sha256"]
    assert made["account"] == "acme"
    assert made["id"] == f"key-{made['sha256'][:8]}"
    assert made["sha256"] == sha256(made["key"].encode()).hexdigest()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("new", "Acme"), "'Acme' is no account id: use 1 to 63 of a-z, "),
        (("new", "a b"), "'a b' is no account id: "),
        (("new", "a" * 64), "is no account id: "),
        (("new", "acme", "--id", " "), "it is blank"),
        (("new", "acme", "--id", "a\nb"), "'a\\nb' holds characters that can't be printed"),
        (("new",), "the following arguments are required: ACCOUNT"),
        (("old", "acme"), "invalid choice: 'old'"),
        ((), "the following arguments are required: new"),
        (("new", "acme", "--jsn"), "unrecognized arguments: --jsn: did you mean --json"),
    ],
)
def test_words_that_cannot_be_used_are_wrong_usage(capsys: Out, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["keys", *words])
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert sentence in err
