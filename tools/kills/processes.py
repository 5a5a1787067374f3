"""The server and the phone network, each a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from tools.kills.verdict import CAMPAIGN_CAP

KATAVEN: Final = (sys.executable, "-m", "kataven_adapters.cli")
KEY: Final = "sk_live_acme_0123456789abcdef"
SECRET: Final = "whsec_" + "a2F0YXZlbi1waG9uZXMtaGVhci1ldmVyeXRoaW5n"
PHONES: Final = "phones.jsonl"


class Server:
    """The real server, as a process that dies and is started again on the same file and the same port."""

    def __init__(self, folder: Path, network_url: str) -> None:
        self.file = folder / "kataven.db"
        self.url = ""
        self.restarts_s: list[float] = []
        self._config = folder / "kataven.toml"
        self._log = folder / "serve.log"
        self._network_url = network_url
        self._process: subprocess.Popen[str] | None = None

    def start(self, words: Sequence[str] = KATAVEN) -> None:
        """Start it, by this command, and wait until it listens."""
        port = self.url.rpartition(":")[2] or "0"
        self._config.write_text(config(self.file, self._network_url, int(port)))
        began = time.monotonic()  # noqa: TID251 - it is measured
        with self._log.open("a") as log:
            words = [*words, "serve", "--config", str(self._config)]
            self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = ready(self._process, "the server", self._log)
        self.restarts_s.append(time.monotonic() - began)  # noqa: TID251 - the same

    @property
    def memory_mb(self) -> float:
        """The memory that it holds."""
        assert self._process is not None  # noqa: S101 - it was started
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    @property
    def open_files(self) -> int:
        """The files, connections among them, that it holds open."""
        assert self._process is not None  # noqa: S101 - it was started
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def kill(self) -> None:
        """Let it die at once."""
        assert self._process is not None  # noqa: S101 - it was started
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def wait(self, seconds: float) -> int:
        """Wait until it has died by itself; give how."""
        assert self._process is not None  # noqa: S101 - it was started
        self._process.communicate(timeout=seconds)
        return self._process.returncode

    def stop(self) -> None:
        """Let it end as it should."""
        assert self._process is not None  # noqa: S101 - it was started
        self._process.terminate()
        self._process.communicate()


def config(file: Path, network_url: str, port: int) -> str:
    """Write the configuration: one account, a line that is asked often."""
    return f"""
[server]
port = {port}
retry_delay_min_s = 0
[store]
url = "sqlite:///{file}"
[line]
url = "{network_url}"
secret = "{SECRET}"
reconcile_every_s = 1
lost_after_s = 600
[[accounts]]
id = "acme"
concurrent_max = {2 * CAMPAIGN_CAP}
[[accounts.api_keys]]
id = "ops"
sha256 = "{sha256(KEY.encode()).hexdigest()}"
[[accounts.agents]]
id = "agent"
status = "active"
[[accounts.phone_numbers]]
id = "office"
e164 = "+12025550100"
outbound_enabled = true
"""


def ready(process: subprocess.Popen[str], name: str, log: Path) -> str:
    """Read what a process says until it listens; give its address."""
    for line in process.stdout or ():
        if line.startswith("listening on "):
            return line.split()[-1]
    sys.exit(f"{name} did not start: {log.read_text()[-2_000:]}")


@contextmanager
def phone_network(folder: Path, world: Mapping[str, float]) -> Iterator[str]:
    """Run a phone network that writes its log into this folder; give its address."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in world.items()]
    with (folder / "network.log").open("w") as errors:
        network = subprocess.Popen(
            [*KATAVEN, "phone-network", "--port=0", f"--log={folder / PHONES}", f"--secret={SECRET}", *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield ready(network, "the phone network", folder / "network.log")
        finally:
            network.terminate()
            network.communicate()
