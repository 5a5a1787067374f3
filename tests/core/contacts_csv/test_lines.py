import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.contacts_csv.limits import MAX_RECORD_CHARS
from kataven_core.contacts_csv.lines import LineBuffer


def buffer_of(*parts: str) -> LineBuffer:
    buffer = LineBuffer()
    for part in parts:
        buffer.push(part)
    return buffer


@pytest.mark.parametrize(
    ("text", "lines", "rest"),
    [
        ("", [], ""),
        ("a,b", [], "a,b"),
        ("a\n", ["a\n"], ""),
        ("a\r\nb\rc\nd", ["a\r\n", "b\r", "c\n"], "d"),
        ("\rx", ["\r"], "x"),
        ("\n\r\n\r\rx", ["\n", "\r\n", "\r", "\r"], "x"),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\n", ["a\x0bb\x0cc\x1cd\x85e\u2028f\n"], ""),
    ],
)
def test_lines_end_with_lf_crlf_or_cr_and_the_rest_waits(text: str, lines: list[str], rest: str) -> None:
    buffer = buffer_of(text)
    assert buffer.take_lines(is_last=False) == lines
    assert buffer.text == rest


def test_a_cr_at_the_end_waits_for_its_lf() -> None:
    buffer = buffer_of("a\r")
    assert buffer.take_lines(is_last=False) == []
    buffer.push("\nb\r")
    assert buffer.take_lines(is_last=False) == ["a\r\n"]
    buffer.push("c")
    assert buffer.take_lines(is_last=False) == ["b\r"]


@pytest.mark.parametrize("parts", [["a\nb\r"], ["a", "\n", "b", "\r"]])
def test_a_cr_at_the_end_ends_a_line_when_nothing_follows(parts: list[str]) -> None:
    assert buffer_of(*parts).take_lines(is_last=True) == ["a\n", "b\r"]


def test_when_nothing_follows_a_line_without_end_still_waits() -> None:
    buffer = buffer_of("a\nb")
    assert buffer.take_lines(is_last=True) == ["a\n"]
    assert buffer.text == "b"


def test_all_is_taken_with_the_line_that_has_no_end() -> None:
    buffer = buffer_of("a\n", "b")
    assert buffer.take_all() == ["a\n", "b"]
    assert buffer.text == ""


def test_lines_are_counted_as_they_are_used() -> None:
    buffer = buffer_of("a\nb\nc")
    lines = buffer.take_lines(is_last=False)
    assert buffer.line == 1
    buffer.put_back(lines, 1)
    assert (buffer.line, buffer.text) == (2, "b\nc")
    buffer.put_back(buffer.take_all(), 2)
    assert (buffer.line, buffer.text) == (4, "")


def test_lines_put_back_are_not_worth_a_look_until_the_text_has_doubled() -> None:
    buffer = buffer_of('"a\n', "b\n")
    buffer.put_back(buffer.take_lines(is_last=False), 0)
    buffer.push("c\n")
    assert buffer.take_lines(is_last=False) == []
    buffer.push("dd\n")
    assert buffer.take_lines(is_last=False) == ['"a\n', "b\n", "c\n", "dd\n"]


def test_lines_put_back_are_worth_a_look_when_nothing_follows() -> None:
    buffer = buffer_of('"a\n')
    buffer.put_back(buffer.take_lines(is_last=False), 0)
    buffer.push("b\n")
    assert buffer.take_lines(is_last=True) == ['"a\n', "b\n"]


def test_once_all_is_used_the_next_line_is_worth_a_look() -> None:
    buffer = buffer_of("aaaa\n")
    buffer.put_back(buffer.take_lines(is_last=False), 0)
    buffer.put_back(buffer.take_all(), 1)
    buffer.push("b\n")
    assert buffer.take_lines(is_last=False) == ["b\n"]


def test_overlong_is_more_than_a_record_and_its_line_end() -> None:
    buffer = buffer_of("x" * MAX_RECORD_CHARS, "\r")
    assert not buffer.is_overlong
    buffer.push("\n")
    assert buffer.is_overlong


def test_overlong_text_is_worth_a_look() -> None:
    buffer = buffer_of('"' + "x" * MAX_RECORD_CHARS + "\n")
    buffer.put_back(buffer.take_lines(is_last=False), 0)
    buffer.push("x\n")
    assert len(buffer.take_lines(is_last=False)) == 2


@given(st.lists(st.text("a\r\n", max_size=5), max_size=8))
def test_no_character_is_lost_or_added(parts: list[str]) -> None:
    buffer, taken = LineBuffer(), list[str]()
    for part in parts:
        buffer.push(part)
        lines = buffer.take_lines(is_last=False)
        taken += lines
        buffer.put_back(lines, len(lines))
    taken += buffer.take_all()
    whole = buffer_of(*parts)
    assert taken == whole.take_all()
    assert "".join(taken) == "".join(parts)
