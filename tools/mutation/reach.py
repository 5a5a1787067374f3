"""Which tests can notice a mutant: those that reach the changed function, as was seen when nothing was changed."""

import importlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from tools.mutation.cases import ROOT, Case, core_modules, dotted

SLOW = ("contacts_csv/test_parser.py", "contacts_csv/test_fuzz.py", "cycle/test_campaign_machine.py")
"""What takes longest comes last."""


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


def without_parameters(test: str) -> str:
    """Give the name of a test's function, by which all its cases go."""
    return test.partition("[")[0]


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
        self.seconds[name] += time.perf_counter() - begin  # type: ignore[assignment] # seconds are no whole numbers
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
