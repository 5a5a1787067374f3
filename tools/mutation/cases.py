"""The mutants of the pure core by name, and what became of each."""

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.mutation.mutants import Mutant, members_of, mutants_of

ROOT = Path(__file__).resolve().parents[2]
REASONS = Path(__file__).with_name("reasons.toml")
LEFT_OUT = ("__init__.py", "_version.py", "ports.py")
"""What holds no behavior of the core: ports.py says what adapters must do, and the shipped suites hold them to it."""


class Case(NamedTuple):
    """A mutant with its number and the module that it changes, relative to ``src``."""

    number: int
    file: str
    name: str
    """What a survivor is known by: not its line, so that a change above it does not touch its reason."""
    mutant: Mutant


class Result(NamedTuple):
    """What became of a mutant: ``killed`` by a test, ``stuck`` (it took too long) or ``survived``."""

    case: Case
    fate: str

    @property
    def as_json(self) -> dict[str, str | int]:
        """Plain values, for a file."""
        number, file, name, mutant = self.case
        what: dict[str, str | int] = {"number": number, "file": file, "line": mutant.line, "scope": mutant.scope}
        return what | {"kind": mutant.kind, "name": name, "fate": self.fate}


def core_modules(only: Sequence[str]) -> list[Path]:
    """List the modules to change, or those of them that are asked for."""
    core = ROOT / "src" / "kataven_core"
    files = [*core.glob("*.py"), *core.glob("contacts_csv/*.py"), *core.glob("cycle/*.py")]
    chosen = [file for file in sorted(files) if file.name not in LEFT_OUT]
    wanted = [file for file in chosen if not only or str(file.relative_to(ROOT / "src")) in only]
    if only and len(wanted) != len(set(only)):
        sys.exit(f"--only takes modules of the pure core, such as kataven_core/budget.py; got {', '.join(only)}")
    return wanted


def cases_of(files: Sequence[Path]) -> Iterator[Case]:
    """Yield every mutant of these modules."""
    members = members_of(core_modules(()))
    twins: Counter[str] = Counter()
    for file in files:
        module = str(file.relative_to(ROOT / "src"))
        for mutant in mutants_of(file.read_text(), members):
            name = f"{module}: {mutant.scope or 'module'}: {mutant.before} → {mutant.after}"
            twins[name] += 1
            yield Case(twins.total(), module, name + (f" ({twins[name]})" if twins[name] > 1 else ""), mutant)


def dotted(file: str) -> str:
    """Give the name under which a module is imported."""
    return file.removesuffix(".py").replace("/", ".")


def known_before(cases: Sequence[Case], earlier: Path, reasons: dict[str, str]) -> list[Result]:
    """Give what an earlier run tells of these mutants, but for what survived it without a reason."""
    fates = {entry["name"]: entry["fate"] for entry in json.loads(earlier.read_text())}
    known = (Result(case, fates[case.name]) for case in cases if case.name in fates)
    return [result for result in known if result.fate != "survived" or result.case.name in reasons]


def known_reasons() -> dict[str, str]:
    """Read why the mutants that are known to survive can't be noticed."""
    groups = tomllib.loads(REASONS.read_text())["survivors"] if REASONS.exists() else []
    return {name: str(group["reason"]) for group in groups for name in group["mutants"]}


def write(results: Sequence[Result], file: Path | None) -> None:
    """Write what is known so far, so that a run that is stopped can go on."""
    if file:
        file.write_text(json.dumps([result.as_json for result in results], indent=1, ensure_ascii=False) + "\n")
