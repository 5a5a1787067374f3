import argparse
import sys

import pytest

from kataven_adapters.cli.failure import CommandFailure
from kataven_adapters.cli.reading import add_reading_options, national_numbers, reading_options
from kataven_core import CsvOptions, Duplicates, InvalidValue


def options_of(*words: str) -> CsvOptions:
    parser = argparse.ArgumentParser()
    add_reading_options(parser)
    return reading_options(parser.parse_args(words))


def test_without_words_a_file_is_read_as_the_core_reads_it() -> None:
    assert options_of() == CsvOptions()


def test_every_word_is_heard() -> None:
    options = options_of("--phone-column", "Mobile", "--duplicates", "keep", "--default-region", "US")
    assert (options.phone_column, options.duplicates) == ("Mobile", Duplicates.KEEP)
    assert options.national is not None
    assert options.national("(415) 555-2671") == "+14155552671"


def test_no_region_reads_no_national_numbers() -> None:
    assert national_numbers(None) is None


def test_an_unknown_region_is_wrong_usage() -> None:
    with pytest.raises(CommandFailure, match=r"--default-region: .*Atlantis") as caught:
        national_numbers("Atlantis")
    assert caught.value.exit_code == 2


def test_a_missing_library_is_one_sentence_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kataven_adapters.numbers", None)
    with pytest.raises(CommandFailure, match=r"pip install 'kataven-core\[numbers\]'") as caught:
        national_numbers("US")
    assert caught.value.exit_code == 1


def test_a_number_that_is_none_of_the_region_is_told_with_the_reason() -> None:
    national = national_numbers("US")
    assert national is not None
    with pytest.raises(InvalidValue):
        national("12")
