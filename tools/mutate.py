"""Mutation testing of the pure core: make every small change that a test should notice, one at a time, and see.

``python tools/mutate.py`` copies the core and its tests to a temporary folder and works there; nothing here is touched.
Each mutant runs in a fork that has everything but the core imported already: first the tests of the changed module,
then all others of the core that reach the changed function. Hypothesis draws the same examples every time, so that a
run repeats.

What survives is held against ``tools/mutation_reasons.toml``: a survivor without a reason, a reason without a survivor
and a score below the goal end the run with exit code 1 (the first two only where the whole core was changed).
``--report`` writes docs/explanation/mutation-survivors.md.
"""

import argparse
import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import NamedTuple
from zlib import crc32

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from tools.mutants import Mutant, members_of, mutants_of  # noqa: E402 - a script finds only its own folder by itself

REASONS = ROOT / "tools" / "mutation_reasons.toml"
REPORT = ROOT / "docs" / "explanation" / "mutation-survivors.md"
GOAL = 0.90
MAX_EXAMPLES = 25
CPU_S, SLOW_CPU_S = 20, 90
"""CPU seconds for the tests of one mutant; what takes longer is caught in a loop, which a test has thus noticed."""
MEMORY_BYTES = 3 << 30
NO_RUN = 99
"""How a fork ends that could not run its tests."""
SLOW = ("contacts_csv/test_parser.py", "contacts_csv/test_fuzz.py", "cycle/test_campaign_machine.py")
"""What takes longest comes last."""
FIT = "not planted and not loads and not loaded and not every_module"
"""All but tests of tests, which plant faults of their own, and of the package as it lies on the disk."""
LEFT_OUT = ("__init__.py", "_version.py", "ports.py")
"""What holds no behavior of the core: ports.py says what adapters must do, and the shipped suites hold them to it."""
SHOWN_CHARS = 90
INTRODUCTION = """\
A mutant is the core with one small change: a comparison turned round, a number off by one, a condition always true, a
statement, an argument or an operand left out, another member of an enumeration. The tests are run against each; one
that makes no test fail survives. Left alone is what no test should notice: annotations, docstrings, assertions, and the
words of sentences (what is filled into them is changed like all else). `ports.py` holds what adapters must do, and
`runtime` needs more than the core's own tests, so neither is changed.
"""
PLUGINS = (
    "-p",
    "pytest_asyncio.plugin",
    "-p",
    "_hypothesis_pytestplugin",
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


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


def copy_to(folder: Path) -> None:
    """Copy what the core's tests take."""
    quiet = shutil.ignore_patterns("__pycache__", "runtime")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "core", folder / "tests" / "core", ignore=quiet)
    for file in ("tests/conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / file, folder / file)


def stages(file: str) -> list[list[str]]:
    """Give the test modules that may notice a change, those that notice most first."""
    package, name = Path(file).parent.name, Path(file).name
    below = "" if package == "kataven_core" else f"{package}/"
    own = f"{below}test_{name}"
    everything = [str(path.relative_to("tests/core")) for path in sorted(Path("tests/core").rglob("test_*.py"))]
    if package == "contacts_csv":
        rest = [test for test in everything if test.startswith(("contacts_csv/", "test_package"))]
    elif name in ("phone_number.py", "errors.py", "values.py"):
        rest = everything
    else:
        rest = [test for test in everything if not test.startswith("contacts_csv/")]
    first = [test for test in everything if test == own]
    fast = [test for test in rest if test not in SLOW and test not in first]
    slow = [test for test in rest if test in SLOW and test not in first]
    return [stage for stage in (first, fast, slow) if stage]


def dotted(file: str) -> str:
    """Give the name under which a module is imported."""
    return file.removesuffix(".py").replace("/", ".")


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module's mutant in its place."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code if fullname == self.name else super().get_code(fullname)  # type: ignore[return-value]


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, file: str, tree: ast.Module) -> None:
        self._path = str(Path("src", file).resolve())
        self._name = dotted(file)
        self._code = compile(tree, self._path, "exec")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(
            fullname, self._path, loader=_Loader(fullname, self._path, self._code)
        )


def without_parameters(test: str) -> str:
    """Give the name of a test's function, by which all its cases go."""
    return test.partition("[")[0]


class Chosen:
    """A plugin that runs these tests only, the quickest first.

    With whatever parameters they have now: a mutant may change what these are called.
    """

    def __init__(self, tests: set[str], seconds: dict[str, float]) -> None:
        self._tests = tests
        self._seconds = seconds

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out all others, and sort."""
        items[:] = [item for item in items if without_parameters(item.nodeid) in self._tests]
        items.sort(key=lambda item: self._seconds.get(without_parameters(item.nodeid), 0.0))


class Watch:
    """A plugin that notes which functions of the core each test reaches, and all that importing the core does."""

    def __init__(self) -> None:
        self.reached: dict[str, set[str]] = {}
        self.seconds: Counter[str] = Counter()
        self._source = f"{Path('src').resolve()}{os.sep}"

    def import_core(self) -> None:
        """Import all that may be changed."""
        with self._noting("import"):
            for file in core_modules(()):
                importlib.import_module(dotted(str(file.relative_to(ROOT / "src"))))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Note what making a test module reaches: its tables are for all its tests."""
        with self._noting(collector.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note what a test reaches, its fixtures too."""
        begin, name = time.perf_counter(), without_parameters(item.nodeid)
        with self._noting(name):
            done = yield
        self.seconds[name] += time.perf_counter() - begin  # type: ignore[assignment]
        return done

    @contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        reached, source = self.reached.setdefault(name, set()), self._source

        def note(frame: FrameType, event: str, _argument: object) -> None:
            if event == "call" and frame.f_code.co_filename.startswith(source):
                parts = frame.f_code.co_qualname.split(".")
                scope = ".".join(part for part in parts if not part.startswith("<"))
                reached.add(f"{frame.f_code.co_filename.removeprefix(source)}: {scope}")

        sys.setprofile(note)
        try:
            yield
        finally:
            sys.setprofile(None)


class Reach:
    """Which tests reach a function of the core, as was seen when nothing was changed."""

    def __init__(self, reached: dict[str, list[str]], seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self._always = set(reached.pop("import"))
        self._tests = {name: set(found) for name, found in reached.items() if "::" in name}
        self._modules = {name: set(found) for name, found in reached.items() if "::" not in name}
        self._functions = self._always.union(*self._tests.values(), *self._modules.values())

    def narrowed(self, case: Case, asked: list[list[str]]) -> list[set[str]]:
        """Give the tests to run for each stage: those that reach the function, or all where it is none."""
        place = f"{case.file}: {case.mutant.scope}"
        is_narrow = place in self._functions and place not in self._always
        chosen = {
            name
            for name, found in self._tests.items()
            if not is_narrow or place in found or place in self._modules.get(name.partition("::")[0], ())
        }
        found = [
            {name for name in chosen if name.split("::")[0].removeprefix("tests/core/") in stage} for stage in asked
        ]
        return [stage for stage in found if stage]


def run_tests(case: Case | None, plugin: Watch | Chosen, modules: Sequence[str] = ("tests/core",)) -> int:
    """Run test modules in this process, on a mutant if there is one; give pytest's exit code."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    if case:
        cpu_s = SLOW_CPU_S if any(module.endswith(SLOW) for module in modules) else CPU_S
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        signal.alarm(10 * cpu_s)  # a mutant that waits uses up no CPU seconds
        sys.dont_write_bytecode = True
        sys.meta_path.insert(0, _Finder(case.file, case.mutant.make()))
    if isinstance(plugin, Watch):
        plugin.import_core()
    return int(pytest.main(["-x", "-q", "--no-header", "--tb=no", "-k", FIT, *PLUGINS, *modules], plugins=[plugin]))


def start(case: Case, tests: set[str], seconds: dict[str, float]) -> int:
    """Fork a process that runs tests on a mutant; give its id."""
    process = os.fork()
    if process:
        return process
    code = NO_RUN
    try:
        modules = sorted({test.partition("::")[0] for test in tests})
        code = run_tests(case, Chosen(tests, seconds), modules)
    finally:
        os._exit(code)


def look_around(file: Path) -> Reach:
    """Run all tests with nothing changed, and give which functions each of them reaches."""
    process = os.fork()
    if not process:
        code = NO_RUN
        try:
            watch = Watch()
            code = run_tests(None, watch)
            file.write_text(json.dumps([{name: [*found] for name, found in watch.reached.items()}, watch.seconds]))
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    if status:
        sys.exit("the core's tests fail with nothing changed: mend them first")
    return Reach(*json.loads(file.read_text()))


def fate_of(status: int) -> str:
    """Read what a fork's end means; ``survived`` means that its tests have passed, so that the next may be asked."""
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            sys.exit("stopped from outside: go on with --again and the file of --json")
        return "stuck" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM) else "killed"
    code = os.WEXITSTATUS(status)
    if code == NO_RUN:
        sys.exit("the tests could not be run on a mutant")
    return "survived" if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else "killed"


def run(cases: Sequence[Case], jobs: int, reach: Reach, until: float = math.inf) -> Iterator[Result]:
    """Run every mutant against its tests, ``jobs`` at once, and yield what became of each; begin none after ``until``.

    Of what has then passed some of its tests, and not all, nothing is told.
    """
    waiting = [(case, reach.narrowed(case, stages(case.file))) for case in reversed(cases)]
    running: dict[int, tuple[Case, list[set[str]]]] = {}
    while waiting or running:
        if time.perf_counter() > until:
            waiting.clear()
        while waiting and len(running) < jobs:
            case, left = waiting.pop()
            if left:
                running[start(case, left[0], reach.seconds)] = (case, left[1:])
            else:
                yield Result(case, "survived")
        if not running:
            break
        process, status = os.wait()
        case, left = running.pop(process)
        fate = fate_of(status)
        if fate == "survived" and left:
            waiting.append((case, left))
        else:
            yield Result(case, fate)


def get_ready(folder: Path) -> None:
    """Go to the copy and import all that tests take but the core."""
    os.chdir(folder)
    sys.path[:0] = [str(folder / "src"), str(folder / "src" / "adapters")]
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HYPOTHESIS_PROFILE": "mutation"}
    settings.register_profile(
        "mutation",
        max_examples=MAX_EXAMPLES,
        stateful_step_count=20,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    for name in (
        "attrs",
        "cattrs.preconf.json",
        "pytest_asyncio.plugin",
        "hypothesis.stateful",
        "_hypothesis_pytestplugin",
    ):
        importlib.import_module(name)
    if any(name.startswith("kataven") for name in sys.modules):
        sys.exit("the core is imported already, so that no mutant of it would be seen")


def known_before(cases: Sequence[Case], earlier: Path, reasons: dict[str, str]) -> list[Result]:
    """Give what an earlier run tells of these mutants, but for what survived it without a reason."""
    fates = {entry["name"]: entry["fate"] for entry in json.loads(earlier.read_text())}
    known = (Result(case, fates[case.name]) for case in cases if case.name in fates)
    return [result for result in known if result.fate != "survived" or result.case.name in reasons]


def known_reasons() -> dict[str, str]:
    """Read why the mutants that are known to survive can't be noticed."""
    groups = tomllib.loads(REASONS.read_text())["survivors"] if REASONS.exists() else []
    return {name: str(group["reason"]) for group in groups for name in group["mutants"]}


def tell(results: Sequence[Result], untried: int, *, is_whole: bool, is_reported: bool) -> int:
    """Print the score and the survivors, write the report if asked; give the exit code."""
    reasons = known_reasons()
    survivors = [result.case for result in results if result.fate == "survived"]
    new = [case for case in survivors if case.name not in reasons]
    gone = sorted(reasons.keys() - {case.name for case in survivors}) if is_whole else []
    score = 1 - len(survivors) / max(1, len(results))
    for name in gone:
        print(f"has a reason to survive, and did not: {name}")
    fates = Counter(result.fate for result in results)
    print(
        f"{len(results):,} mutants, {fates['killed']:,} killed, {fates['stuck']:,} stuck, {len(survivors):,} survived"
    )
    print(f"score {score:.1%}, the goal is {GOAL:.0%}; {len(new)} survivors without a reason; {untried:,} not tried")
    if is_reported:
        REPORT.write_text("\n".join(report(results, untried, reasons)) + "\n")
    return int(score < GOAL or bool(new) or bool(gone))


def report(results: Sequence[Result], untried: int, reasons: dict[str, str]) -> Iterator[str]:
    """Yield the lines of the page of survivors."""
    survivors = [result.case for result in results if result.fate == "survived"]
    score = 1 - len(survivors) / max(1, len(results))
    yield "# Mutants that survive"
    yield ""
    yield "<!-- Written by `python tools/mutate.py --report`; the reasons stand in tools/mutation_reasons.toml. -->"
    yield ""
    yield INTRODUCTION
    yield f"Of {len(results):,} mutants {len(results) - len(survivors):,} are noticed: **{score:.1%}**."
    if untried:
        yield f"{untried:,} more, spread evenly over the modules, were not tried in that run."
    yield from ("", "| module | mutants | noticed | survive |", "|---|---|---|---|")
    totals = Counter(result.case.file for result in results)
    alive = Counter(case.file for case in survivors)
    yield from (f"| `{file}` | {n} | {n - alive[file]} | {alive[file] or ''} |" for file, n in totals.items())
    groups: dict[str, list[Case]] = {}
    for case in survivors:
        groups.setdefault(reasons.get(case.name, "No reason known yet"), []).append(case)
    for reason, cases in groups.items():
        yield from ("", f"## {reason}", "", "| where | before | after |", "|---|---|---|")
        for case in cases:
            scope = f"`{case.mutant.scope}`" if case.mutant.scope else "the module"
            cells = (f"`{case.file.removeprefix('kataven_core/')}`, {scope}", *map(as_cell, case.mutant[3:5]))
            yield f"| {' | '.join(cells)} |"


def as_cell(code: str) -> str:
    """Give code as a cell of a table."""
    return f"`{code if len(code) <= SHOWN_CHARS else code[:SHOWN_CHARS] + '…'}`".replace("|", "\\|")


def write(results: Sequence[Result], file: Path | None) -> None:
    """Write what is known so far, so that a run that is stopped can go on."""
    if file:
        file.write_text(json.dumps([result.as_json for result in results], indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    """Change, test, count."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--only", nargs="+", default=[], metavar="MODULE", help="such as kataven_core/budget.py")
    words.add_argument("--jobs", type=int, default=1, help="mutants at once")
    words.add_argument("--minutes", type=float, default=math.inf, help="stop then; what was tried is spread evenly")
    words.add_argument("--json", type=Path, help="write what became of each mutant to this file")
    words.add_argument(
        "--again",
        type=Path,
        metavar="JSON",
        help="run only what is new since this run, or survived it without a reason",
    )
    words.add_argument("--report", action="store_true", help=f"write {REPORT.relative_to(ROOT)}")
    asked = words.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets in one order, every time
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606 - itself
    results, reasons = list[Result](), known_reasons()
    here, asked.json = Path.cwd(), asked.json and asked.json.resolve()
    cases = list(cases_of(core_modules(asked.only)))
    if asked.again:
        results = known_before(cases, asked.again, reasons)
        known = {result.case.number for result in results}
        cases = [case for case in cases if case.number not in known]
    cases.sort(key=lambda case: crc32(case.name.encode()))  # so that a run that is stopped tells of all modules
    untried, begin = len(cases), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        copy_to(Path(folder))
        get_ready(Path(folder))
        reach = look_around(Path(folder) / "reach.json")
        print(f"{len(cases):,} mutants; the tests pass without them")
        for result in run(cases, asked.jobs, reach, begin + 60 * asked.minutes):
            results.append(result)
            untried -= 1
            if result.fate == "survived" and result.case.name not in reasons:
                print(f"survived without a reason, line {result.case.mutant.line}: {result.case.name}", flush=True)
            if len(results) % 50 == 0:
                print(f"{len(results):,} done", flush=True)
                write(results, asked.json)
        os.chdir(here)
    results.sort(key=lambda result: result.case.number)
    write(results, asked.json)
    code = tell(results, untried, is_whole=not asked.only and not untried, is_reported=asked.report)
    print(f"{(time.perf_counter() - begin) / 60:.0f} min")
    sys.exit(code)


if __name__ == "__main__":
    main()
