"""Run tests on mutants, each in a fork that has everything but the core imported already."""

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
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings
from tools.mutation.cases import ROOT, Case, Result, dotted
from tools.mutation.reach import SLOW, Reach, Watch, stages, without_parameters

MAX_EXAMPLES = 25
CPU_S, SLOW_CPU_S = 20, 90
"""CPU seconds for the tests of one mutant; what takes longer is caught in a loop, which a test has thus noticed."""
MEMORY_BYTES = 3 << 30
NO_RUN = 99
"""How a fork ends that could not run its tests."""
FIT = "not planted and not loads and not loaded and not every_module"
"""All but tests of tests, which plant faults of their own, and of the package as it lies on the disk."""
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


def copy_to(folder: Path) -> None:
    """Copy what the core's tests take."""
    quiet = shutil.ignore_patterns("__pycache__", "runtime")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "core", folder / "tests" / "core", ignore=quiet)
    for file in ("tests/conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / file, folder / file)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module's mutant in its place."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code if fullname == self.name else super().get_code(fullname)  # type: ignore[return-value] # a loader of sources always gives one


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
