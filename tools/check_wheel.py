"""Build what is shipped, look into it, and run the core's tests on it alone.

A wheel can be wrong while the editable install and the whole suite stay green. So the wheel goes into an environment of
its own, with nothing but what it asks for and the test tools, and the core's tests run against that, away from here.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements" / "dev.txt"
SHIPPED = (
    "kataven_core/py.typed",
    "kataven_adapters/py.typed",
    "kataven_core/cycle/decide.py",
    "kataven_core/runtime/engine.py",
)


def run(*words: str | Path, cwd: Path = ROOT, **settings: str) -> None:
    """Run a command, in sight; stop with its exit code when it fails."""
    done = subprocess.run([str(word) for word in words], cwd=cwd, env=os.environ | settings, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    """Build, look, install, test."""
    python = Path(sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        run(python, "-m", "build", "--no-isolation", "--outdir", folder)
        (wheel,) = Path(folder).glob("*.whl")
        run(python.with_name("check-wheel-contents"), wheel)
        missing = set(SHIPPED) - set(zipfile.ZipFile(wheel).namelist())
        if missing:
            sys.exit(f"the wheel lacks {', '.join(sorted(missing))}")
        venv.create(Path(folder) / "alone", with_pip=True)
        alone = Path(folder) / "alone" / "bin" / "python"
        install = (alone, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", PINS)
        run(*install, wheel)
        command, contacts = (alone, "-m", "kataven_adapters.cli"), ROOT / "tests/core/contacts_csv/corpus/tabs.csv"
        run(*command, "check", "--json", contacts)
        run(
            *command,
            "dial",
            "--store",
            "memory://",
            "--line",
            "simulated://?ring_s=0&talk_s=0",
            contacts,
            cwd=Path(folder),
        )
        run(*install, "pytest", "pytest-asyncio", "hypothesis")
        elsewhere = Path(folder) / "elsewhere"
        shutil.copytree(ROOT / "tests" / "core", elsewhere / "tests" / "core")
        for file in ("tests/conftest.py", "pyproject.toml"):
            shutil.copy(ROOT / file, elsewhere / file)
        run(alone, "-m", "pytest", "tests/core", "-q", cwd=elsewhere, HYPOTHESIS_PROFILE="quick")


if __name__ == "__main__":
    main()
