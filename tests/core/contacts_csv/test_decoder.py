from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_core.contacts_csv import MAX_FILE_BYTES, FileFault
from kataven_core.contacts_csv.decoder import Decoder, Flaw

SAMPLE = "\ufeffname,é🙂ש\ufeff\r\n".encode()


def decode(pieces: list[bytes]) -> tuple[str, Flaw | None]:
    """Decode up to the first flaw."""
    decoder, text = Decoder(), ""
    for piece in pieces:
        part, flaw = decoder.feed(piece)
        text += part
        if flaw:
            return text, flaw
    part, flaw = decoder.feed(b"", final=True)
    return text + part, flaw


def code(flaw: Flaw | None) -> FileFault | None:
    return flaw and flaw.code


@pytest.mark.parametrize("at", range(len(SAMPLE) + 1))
def test_letters_are_whole_wherever_the_bytes_are_split(at: int) -> None:
    assert decode([SAMPLE[:at], SAMPLE[at:]]) == ("name,é🙂ש\ufeff\r\n", None)


@pytest.mark.parametrize("pieces", [[], [b""], [b"\xef\xbb\xbf"], [b"\xef", b"", b"\xbb", b"\xbf"]])
def test_nothing_is_no_text(pieces: list[bytes]) -> None:
    assert decode(pieces) == ("", None)


def test_only_one_mark_is_taken_off() -> None:
    assert decode([b"\xef\xbb\xbf", b"\xef\xbb\xbf", b"x"]) == ("\ufeffx", None)


@pytest.mark.parametrize(
    ("data", "text", "place"),
    [
        (b"caf\xe9,x", "caf", "byte 3 (0xE9)"),
        (b"\x80 5", "", "byte 0 (0x80)"),
        (b"\xef\xbb\xbfab\xff", "ab", "byte 5 (0xFF)"),
        (b"x\xff\xfe", "x", "byte 1 (0xFF)"),
        (b"x\xe2\x82", "x", "byte 1 (0xE2)"),
        (b"x\xe2\x82x", "x", "byte 1 (0xE2)"),
        (b"\xed\xa0\x80", "", "byte 0 (0xED)"),
        (b"\xc0\xaf", "", "byte 0 (0xC0)"),
        ("é".encode() + b"\xf4\x90\x80\x80", "é", "byte 2 (0xF4)"),
        (b"x" * 1234 + b"\xfc", "x" * 1234, "byte 1,234 (0xFC)"),
    ],
)
def test_the_first_byte_that_is_no_utf8_is_named(data: bytes, text: str, place: str) -> None:
    sentence = f"{place} is no UTF-8: export the file again as CSV UTF-8, not Latin-1 or Windows-1252"
    expected = (text, Flaw(FileFault.NOT_UTF8, sentence))
    assert decode([data]) == expected
    assert decode([bytes([byte]) for byte in data]) == expected


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_utf16_is_called_by_its_name(encoding: str, size: int) -> None:
    data = "\ufeffphone_number\n".encode(encoding)
    text, flaw = decode([data[at : at + size] for at in range(0, len(data), size)])
    assert (text, flaw) == ("", Flaw(FileFault.NOT_UTF8, "the file is UTF-16: export it again as CSV UTF-8"))


@pytest.mark.parametrize("data", [b"a\0b", b"a\0\xff", "a".encode("utf-16-le")])
def test_text_ends_at_a_nul(data: bytes) -> None:
    for pieces in ([data], [data[:1], data[1:]]):
        text, flaw = decode(pieces)
        assert (text, code(flaw)) == ("a", FileFault.NUL_BYTE)


def test_a_nul_after_a_wrong_byte_does_not_count() -> None:
    text, flaw = decode([b"a\xff\0"])
    assert (text, code(flaw)) == ("a", FileFault.NOT_UTF8)


def test_as_many_bytes_as_allowed_are_read() -> None:
    decoder = Decoder()
    text, flaw = decoder.feed(b"x" * MAX_FILE_BYTES)
    assert (len(text), flaw) == (MAX_FILE_BYTES, None)
    assert decoder.feed(b"", final=True) == ("", None)


@pytest.mark.parametrize("more", [b"x", b"xy\0", b"\xff", "é".encode()])
def test_one_byte_more_is_a_flaw_after_the_last_that_is_allowed(more: bytes) -> None:
    text, flaw = decode([b"x" * (MAX_FILE_BYTES - 1), b"x" + more])
    assert (len(text), code(flaw)) == (MAX_FILE_BYTES, FileFault.TOO_LARGE)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_letter_cut_by_the_limit_is_left_out(at: int) -> None:
    data = b"x" * (MAX_FILE_BYTES - 1) + "é".encode()
    cut = MAX_FILE_BYTES - 1 + at
    text, flaw = decode([data[:cut], data[cut:]])
    assert (len(text), code(flaw)) == (MAX_FILE_BYTES - 1, FileFault.TOO_LARGE)


def test_a_last_piece_can_be_too_large_too() -> None:
    text, flaw = Decoder().feed(b"x" * (MAX_FILE_BYTES - 1) + "é".encode(), final=True)
    assert (len(text), code(flaw)) == (MAX_FILE_BYTES - 1, FileFault.TOO_LARGE)


@given(st.text(), st.lists(st.integers(0, 60), max_size=5))
def test_any_text_comes_back(text: str, cuts: list[int]) -> None:
    data = b"\xef\xbb\xbf" + text.replace("\0", "").encode()
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[begin : max(begin, end)] for begin, end in pairwise(places)]
    assert decode(pieces) == (text.replace("\0", ""), None)


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 30])
@pytest.mark.parametrize("data", [b"PK\x03\x04\x14\x00\x06" * 8, b"PK\x03\x04\xff" * 8])
def test_a_workbook_is_told_from_other_files_that_are_no_text(data: bytes, cut: int) -> None:
    _, flaw = decode([data[:cut], data[cut:]])
    assert flaw is not None
    assert flaw.sentence.startswith("the file is a workbook such as Excel's")


def test_a_workbook_that_is_too_large_is_too_large() -> None:
    _, flaw = decode([b"PK\x03\x04" + b"x" * MAX_FILE_BYTES])
    assert flaw is not None
    assert flaw.sentence.startswith("the file is larger than 10,485,760 bytes (10 MiB)")


def test_a_text_that_begins_like_a_workbook_is_a_text() -> None:
    assert decode([b"PK\x03\x04,phone_number\n"]) == ("PK\x03\x04,phone_number\n", None)
