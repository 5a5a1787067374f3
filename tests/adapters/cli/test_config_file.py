from pathlib import Path

import pytest

from kataven_adapters.cli.config_file import read_config
from kataven_adapters.cli.failure import CommandFailure


def test_what_is_wrong_ends_the_command_and_names_file_and_key(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("[server]\nport = -1\n")
    with pytest.raises(CommandFailure, match=r"wrong\.toml: server\.port: must be from 0") as caught:
        read_config(str(file))
    assert caught.value.exit_code == 1


def test_what_is_doubtful_is_told_and_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "doubtful.toml"
    file.write_text("[line]\nring_timeout_s = 3\n")
    assert read_config(str(file)).line.ring_timeout_s == 3
    assert "line.ring_timeout_s is 3" in capsys.readouterr().err
