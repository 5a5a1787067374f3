"""What the contacts parser costs beside a bare csv.reader loop, and whether its memory stays flat.

The file is 9.9 MB and 100,000 rows, as an upload of the largest allowed size is. The floor reads it with csv.reader and
looks at nothing. Both run in turn in one process; the ratio is of CPU seconds, the median of the pairs. Memory is the
peak that Python's allocator saw while the file went through in 64 KiB chunks, rows thrown away, beside what the parser
must keep: one entry for each number, for the duplicates.
"""

import csv
import io
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

from kataven_core.contacts_csv import ContactsParser

ROWS = 100_000
GOAL = 4.0
INDEX_GOAL = 200  # bytes a number; keeping the rows would take more than 1,000
PAIRS = 7
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


def cpu_s(work: Callable[[bytes], int], data: bytes) -> float:
    """Time one run in CPU seconds."""
    begin = time.process_time()
    work(data)
    return time.process_time() - begin


def peak_mb(data: bytes) -> float:
    """Give the peak of a parse in MB."""
    tracemalloc.start()
    parse(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> int:
    """Print the table; fail when a goal is missed."""
    data = contacts_file(ROWS)
    floor(data), parse(data)
    pairs = [(cpu_s(floor, data), cpu_s(parse, data)) for _ in range(PAIRS)]
    ratio = statistics.median(mine / bare for bare, mine in pairs)
    bare, mine = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{len(data) / 1e6:.1f} MB, {ROWS:,} rows, CPU seconds, median of {PAIRS}:")
    print(f"  csv.reader {bare:.3f}, contacts {mine:.3f}, ratio {ratio:.2f} (goal: at most {GOAL})")
    small, large = (peak_mb(contacts_file(rows)) for rows in (10_000, ROWS))
    index = (large - small) * 1e6 / (ROWS - 10_000)
    print(f"  peak memory {small:.1f} MB at 10,000 rows, {large:.1f} MB at {ROWS:,}:")
    print(f"  {index:.0f} bytes a number, the duplicate index (goal: at most {INDEX_GOAL})")
    return 0 if ratio <= GOAL and index <= INDEX_GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
