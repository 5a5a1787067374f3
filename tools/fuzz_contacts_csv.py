"""Fuzz the contacts parser: bytes that find new ways through it, held against the laws that need no truth.

``python tools/fuzz_contacts_csv.py --seconds 60`` runs Atheris, which watches the branches of the core that every input
takes and goes on from those that took new ones, beginning with the corpus. An input that breaks a law, or takes longer
than ten seconds or a gigabyte, is saved; the command that repeats it is printed, and the exit code is 1. ``--repeat
FILE`` reads such a file once more and needs no Atheris.

The laws: nothing is raised but ``ContactsFileError``; the result is the same however the bytes are split; every row
with text is accepted or rejected, once, and ``csv.reader`` sees as many; every rejected row says where it is and why;
what is accepted is a number, and has a field for every other column.
"""

import argparse
import csv
import importlib
import io
import json
import os
import random  # noqa: TID251 - its seed is the fuzzer's, or made of the bytes
import re
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

INSIDE = "KATAVEN_INSIDE_FUZZER"
"""Set in the process that Atheris runs in: it ends that process itself, so its findings are read from outside."""
try:
    atheris: Any = importlib.import_module("atheris")
except ImportError:
    atheris = None

with atheris.instrument_imports(include=["kataven_core"]) if atheris and INSIDE in os.environ else nullcontext():
    from kataven_core.contacts_csv import (
        AcceptedRow,
        ContactsFileError,
        ContactsParser,
        CsvOptions,
        Duplicates,
        RejectCode,
        RejectedRow,
    )
    from kataven_core.errors import InvalidValue
    from kataven_core.phone_number import PhoneNumber

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "core" / "contacts_csv" / "corpus"
NO_ATHERIS = (
    "fuzz_contacts_csv: Atheris is not installed: install it with `pip install atheris` on a Python that it has a "
    "wheel for, such as 3.11 on Linux; --repeat FILE reads a saved input without it"
)
LARGEST_INPUT = 8_192
MOST_PIECES = 400
CRUMBS = (
    *(b"phone_number", b"+14155550123", b"+44 (0)20 7946 0958", b"(415) 555-0123", b",", b";", b"\t", b'"', b'""'),
    *(b"\r", b"\n", b"\r\n", b" ", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xc3", b"\xff", b"\0", b"x" * 4097),
)


class Seen(NamedTuple):
    """What a parser made of the bytes: the rows, or the error."""

    accepted: list[AcceptedRow]
    rejected: list[RejectedRow]
    error: tuple[object, ...] = ()


def of_the_us(written: str) -> PhoneNumber:
    """Read a national number without a library."""
    digits = "".join(filter(str.isdigit, written))
    if len(digits) != 10:  # noqa: PLR2004 - as long as they all are
        raise InvalidValue("invalid_number", f"{written!r} is no number of the US")
    return PhoneNumber(f"+1{digits}")


def read(parser: ContactsParser, chunks: Iterable[bytes]) -> Seen:
    """Read a file in chunks; anything raised but ``ContactsFileError`` is a finding."""
    try:
        batches = [*map(parser.feed, chunks), parser.finish()]
    except ContactsFileError as error:
        return Seen([], [], (error.code, error.line, error.column, error.message, error.rejected))
    accepted = [row for batch in batches for row in batch.accepted]
    return Seen(accepted, [row for batch in batches for row in batch.rejected])


def hold(law: bool, sentence: str) -> None:  # noqa: FBT001 - a law holds or it does not
    """Raise ``AssertionError`` where a law is broken."""
    if not law:
        raise AssertionError(sentence)


def hold_laws(data: bytes) -> None:
    """Read the bytes in several ways; raise what is wrong."""
    chance = random.Random(zlib.crc32(data))  # noqa: S311 - the same every time for the same bytes
    options = CsvOptions(
        duplicates=chance.choice(list(Duplicates)),
        national=chance.choice([None, of_the_us]),
        is_strict=chance.randrange(10) == 0,
    )
    parser = ContactsParser(options)
    whole = read(parser, [data])
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(6)))
    some = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    hold(read(ContactsParser(options), some) == whole, f"another result when split at {cuts}")
    size = 1 + len(data) // MOST_PIECES
    even = (data[at : at + size] for at in range(0, len(data), size))
    hold(read(ContactsParser(options), even) == whole, f"another result in pieces of {size} bytes")
    if not whole.error:
        hold_rows(data, parser, whole)


def hold_rows(data: bytes, parser: ContactsParser, seen: Seen) -> None:
    """Count the rows of a file that can be used, and look at each."""
    header = parser.header
    hold(header is not None, "rows without a header")
    assert header is not None  # noqa: S101 - said above
    text = data.decode().removeprefix("\ufeff")
    line_ends = len(re.findall(r"\r\n|\r|\n", text))
    records = csv.reader(io.StringIO(text, newline=""), delimiter=header.delimiter)
    with_text = (bool("".join(cells).strip()) for cells in records)
    lines = [row.line for row in seen.accepted] + [row.line for row in seen.rejected]
    hold(len(lines) == sum(with_text) - 1, "a row is neither accepted nor rejected, or is both")
    hold(len(lines) == len(set(lines)), "two rows begin on one line")
    hold(all(header.line < line <= line_ends + 1 for line in lines), "a row outside the file")
    hold([row.position for row in seen.accepted] == list(range(parser.accepted_rows)), "positions with gaps")
    hold(len(seen.rejected) == parser.rejected_rows, "rejected rows are counted wrong")
    for row in seen.accepted:
        hold(bool(re.fullmatch(r"\+[1-9][0-9]{6,14}", row.phone_number)), f"{row.phone_number!r} is no number")
        fields = parser.custom_fields(row)
        hold(tuple(fields) == header.field_names, f"line {row.line}: not the fields of the header")
        hold(json.loads(*parser.encoded_fields([row])) == fields, f"line {row.line}: not written as it was read")
    for bad in seen.rejected:
        column = "" if bad.code is RejectCode.TOO_MANY_CELLS else header.phone_column
        hold(bad.column == column and bool(bad.message.strip()), f"line {bad.line}: does not say where or why")


def mutate(data: bytes, largest: int, seed: int) -> bytes:
    """Change bytes as files differ: a crumb of one put in, a line doubled, dropped or moved; or as Atheris will."""
    chance = random.Random(seed)  # noqa: S311 - the fuzzer's seed
    at = chance.randrange(len(data) + 1)
    lines = data.splitlines(keepends=True) or [b""]
    line = chance.randrange(len(lines))
    old, new = chance.sample([b",", b";", b"\t"], 2)
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: data[:at] + chance.choice(CRUMBS) + data[at:],
        lambda: data[:at] + chance.choice(CRUMBS) + data[at + 1 :],
        lambda: b"".join([*lines[: line + 1], *lines[line:]]),
        lambda: b"".join([*lines[:line], *lines[line + 1 :]]),
        lambda: b"".join([*lines[line:], *lines[:line]]),
        lambda: data[:at] + b'"' + data[at : at + 9].replace(b'"', b'""') + b'"' + data[at + 9 :],
        lambda: data.replace(old, new),
    )
    if chance.randrange(3):
        return chance.choice(changes)()[:largest]
    changed: bytes = atheris.Mutate(data, largest)
    return changed


def fuzz_inside(words: list[str]) -> None:
    """Hand over to Atheris, which never returns."""
    atheris.Setup([sys.argv[0], *words], hold_laws, custom_mutator=mutate)
    atheris.Fuzz()


def fuzz(seconds: int, corpus: Path, findings: Path) -> int:
    """Run Atheris in a process of its own; print what it did and what it found, give the exit code."""
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as new:
        limits = (f"-max_total_time={seconds}", f"-max_len={LARGEST_INPUT}", "-timeout=10", "-rss_limit_mb=1024")
        places = (f"-artifact_prefix={findings}{os.sep}", new, str(corpus))
        command = [sys.executable, __file__, *limits, "-print_final_stats=1", *places]
        done = subprocess.run(command, env=os.environ | {INSIDE: "1"}, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    runs = re.search(r"number_of_executed_units:\s*(\d+)", said)
    edges = re.findall(r"cov: (\d+) ft: (\d+)", said)
    if runs and edges:
        print(f"{int(runs[1]):,} inputs, {int(edges[-1][0]):,} edges, {int(edges[-1][1]):,} features")
    if not done.returncode:
        print("no law is broken")
        return 0
    print("\n".join(line for line in said.splitlines() if not line.startswith(("INFO", "WARNING", "#"))))
    for saved in re.findall(r"Test unit written to (.+)", said):
        print(f"repeat it with: python tools/{Path(__file__).name} --repeat {saved}")
    return 1


def main() -> int:
    """Fuzz, or read one input once more."""
    if os.environ.get(INSIDE):
        fuzz_inside(sys.argv[1:])
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--seconds", type=int, default=60, help="how long (default: %(default)s)")
    words.add_argument("--corpus", type=Path, default=CORPUS, help="what to begin with")
    words.add_argument("--findings", type=Path, default=ROOT / "build" / "fuzz", help="where findings are saved")
    words.add_argument("--repeat", type=Path, metavar="FILE", help="hold the laws against this file, and stop")
    asked = words.parse_args()
    if asked.repeat:
        hold_laws(asked.repeat.read_bytes())
        print("no law is broken")
        return 0
    if atheris is None:
        sys.exit(NO_ATHERIS)
    return fuzz(asked.seconds, asked.corpus, asked.findings)


if __name__ == "__main__":
    sys.exit(main())
