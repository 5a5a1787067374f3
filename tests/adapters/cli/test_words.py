import argparse

import pytest

from kataven_adapters.cli.words import not_blank, whole


def test_a_word_of_spaces_says_nothing() -> None:
    assert not_blank(" a ") == " a "
    for word in ("", " \t"):
        with pytest.raises(argparse.ArgumentTypeError, match="it is blank"):
            not_blank(word)


@pytest.mark.parametrize("word", ["1", "100", "007"])
def test_a_whole_number_within_its_range_is_taken(word: str) -> None:
    assert whole(1, 100)(word) == int(word)


@pytest.mark.parametrize("word", ["0", "101", "-1", "+1", "1.0", "1e1", " 1", "", "٣", "many"])
def test_any_other_word_is_refused_with_the_range(word: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no whole number from 1 to 100"):
        whole(1, 100)(word)
