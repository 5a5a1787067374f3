"""What the contacts parser costs beside a bare csv.reader loop, and whether its memory stays flat.

The file is 9.9 MB and 100,000 rows, as an upload of the largest allowed size is. The floor reads it with csv.reader and
looks at nothing. Both run in turn in processes of their own; the ratio is of CPU seconds. Memory is the
peak that Python's allocator saw while the file went through in 64 KiB chunks, rows thrown away, beside what the parser
must keep: one entry for each number, for the duplicates.
"""

import csv
import io
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial

from bench.figures import Figure, at_most, compared, figure
from bench.measuring import Sample, alone, in_turn, watched

from kataven_core.contacts_csv import ContactsParser

ROWS = 100_000
GOAL = 4.0
INDEX_GOAL = 200  # bytes a number; keeping the rows would take more than 1,000
FEW = 10_000
CHUNK = 64 * 1024


def contacts_file(rows: int) -> bytes:
    """Make a file of about 99 bytes a row, with a quoted cell in each."""
    lines = ["phone_number,first_name,last_name,company,appointment,note"]
    for n in range(rows):
        name, day = f"First{n % 977},Lastname{n % 4999}", f"2026-12-{n % 28 + 1:02d}T09:30"
        lines.append(f'+1415{5000000 + n:07d},{name},"Company, {n % 313}",{day},{"n" * 32}')
    return "\n".join(lines).encode() + b"\n"


def floor(data: bytes) -> int:
    """Read every record and do nothing with it."""
    return sum(1 for _ in csv.reader(io.StringIO(data.decode(), newline="")))


def parse(data: bytes) -> int:
    """Read every contact, a chunk at a time."""
    parser = ContactsParser()
    for begin in range(0, len(data), CHUNK):
        parser.feed(data[begin : begin + CHUNK])
    parser.finish()
    return parser.accepted_rows


def timed(work: Callable[[bytes], int], data: bytes) -> Sample:
    """Time one run."""
    with watched() as watch:
        work(data)
    return watch.sample(watch.cpu_s)


def peak(rows: int) -> float:
    """Give the peak of a parse of so many rows in MB."""
    data = contacts_file(rows)
    tracemalloc.start()
    parse(data)
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak_mb


def figures(repeats: int) -> Iterator[Figure]:
    """Compare."""
    data = contacts_file(ROWS)
    runs = in_turn(repeats, {name: partial(alone, timed, work, data) for name, work in SIDES.items()})
    yield compared(
        "contacts file read, CPU", (runs["contacts"], "CPU s"), (runs["csv.reader"], "csv.reader"), at_most(GOAL)
    )
    index = (alone(peak, ROWS) - alone(peak, FEW)) * 1e6 / (ROWS - FEW)
    kept = [each._replace(value=index) for each in runs["contacts"]]
    what = "one entry for each number, for duplicates"
    yield figure("contacts file read, bytes kept for a number", (kept, "bytes"), what, index, at_most(INDEX_GOAL))


SIDES = {"contacts": parse, "csv.reader": floor}
