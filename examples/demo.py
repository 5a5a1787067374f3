"""A server, and a client that dials a file through it: what `make demo` shows. No phone rings.

    python examples/demo.py [CONTACTS.csv]

Starts `kataven serve` as it is without a configuration (a SQLite file in this folder, a simulated line, one account
with a key made up for it), uploads the file, starts the campaign, watches it to its end, and tells who was reached.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kataven_adapters.client import KatavenClient, KatavenError

HERE = Path(__file__).parent
KATAVEN = [sys.executable, "-m", "kataven_adapters.cli"]
LOG = Path("kataven-serve.log")


@contextmanager
def a_server() -> Iterator[dict[str, str]]:
    """Run a server on a port that is free; give what a client has to know of it, as environment variables."""
    environment = {name: value for name, value in os.environ.items() if name != "KATAVEN_CONFIG"}
    with LOG.open("w") as log:
        server = subprocess.Popen(  # noqa: S603 - our own command
            [*KATAVEN, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        )
        try:
            assert server.stdout  # noqa: S101 - it is a pipe
            yield told(server.stdout)
        finally:
            server.terminate()
            server.wait()


def told(lines: IO[str]) -> dict[str, str]:
    """Read what a server prints before it is ready."""
    found = {}
    for line in lines:
        name, _, value = line.strip().partition("=")
        if name == "KATAVEN_API_KEY":
            found[name] = value
        if line.startswith("listening on "):
            return {**found, "KATAVEN_BASE_URL": line.split()[-1]}
    sys.exit(f"the server did not start: {LOG.read_text().strip()}")


def dial(file: Path, server: dict[str, str]) -> int:
    """Make a campaign of the file, and see it through."""
    with KatavenClient(server["KATAVEN_API_KEY"], server["KATAVEN_BASE_URL"]) as client:
        for left in client.campaigns.list()["campaigns"]:
            if left["status"] in {"running", "paused"}:  # a demo that was interrupted: it holds the account's calls
                client.campaigns.stop(left["id"])
        with file.open("rb") as contacts:
            campaign = client.campaigns.create(
                f"Demo of {file.name}", "demo-agent", "demo-number", contacts, max_concurrent_calls=10
            )
        print(f"uploaded {file}: {campaign.accepted_rows} rows accepted, {campaign.rejected_rows} rejected")
        client.campaigns.start(campaign["id"])
        watching = [*KATAVEN, "campaigns", "watch", campaign["id"]]
        code = subprocess.run(watching, env={**os.environ, **server}, check=False).returncode  # noqa: S603 - the same
        outcomes = Counter(each["last_outcome"] or "not dialled" for each in all_contacts(client, campaign["id"]))
    print("\nlast outcome   contacts")
    for outcome, count in outcomes.most_common():
        print(f"{outcome:<14} {count:>8}")
    print("\nno phone rang: the line is simulated; the same server on a real one takes --line")
    return code


def all_contacts(client: KatavenClient, campaign_id: str) -> Iterator[dict[str, str]]:
    """Yield every contact of a campaign, page by page."""
    page, has_next = 0, True
    while has_next:
        answer = client.campaigns.list_contacts(campaign_id, page=page)
        yield from answer["contacts"]
        page, has_next = page + 1, answer["has_next"]


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("contacts", nargs="?", type=Path, default=HERE / "contacts.csv")
    chosen = words.parse_args()
    if not chosen.contacts.is_file():
        words.error(f"there is no file {chosen.contacts}")
    try:
        with a_server() as server:
            code = dial(chosen.contacts, server)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit("interrupted: the server has stopped; what was uploaded is in kataven.db; `make demo` begins anew")
    except KatavenError as error:
        sys.exit(str(error))
    except BrokenPipeError:  # whoever read it has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
