import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import isclass, ismodule
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import pytest
from attrs.exceptions import FrozenInstanceError

import kataven_core

SOURCE = Path(kataven_core.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def dotted(module: str) -> str:
    """Give the name under which a file is imported."""
    return ".".join(["kataven_core", *Path(module).with_suffix("").parts]).removesuffix(".__init__")


# What importing it loads

PRINT_LOADED = """
import json, sys
before = set(sys.modules)
import attrs
with_attrs = set(sys.modules)
import kataven_core
print(json.dumps([sorted(with_attrs - before), sorted(set(sys.modules) - with_attrs)]))
"""
DATA_MODULES = {
    "bisect",
    "codecs",
    "collections",
    "contextlib",
    "copy",
    "csv",
    "datetime",
    "enum",
    "functools",
    "heapq",
    "io",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
}
"""What the core may load of the standard library besides what attrs loads: modules that only shape data."""
NEVER = {
    "aiohttp",
    "aiosqlite",
    "asyncio",
    "cattrs",
    "concurrent",
    "http",
    "kataven_adapters",
    "logging",
    "multiprocessing",
    "pathlib",
    "phonenumbers",
    "random",
    "secrets",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib",
    "uuid",
}


class Loaded(NamedTuple):
    """The modules that were loaded by the import of attrs, then those by the import of the core."""

    by_attrs: list[str]
    by_core: list[str]

    def packages(self) -> set[str]:
        return {name.partition(".")[0] for name in self.by_attrs + self.by_core}


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    printed = subprocess.run([sys.executable, "-c", PRINT_LOADED], check=True, capture_output=True, text=True)
    return Loaded(*json.loads(printed.stdout))


def test_it_loads_no_input_or_output_no_chance_and_no_framework(loaded: Loaded) -> None:
    assert loaded.packages() & NEVER == set()


def test_it_loads_nothing_of_others_but_attrs(loaded: Loaded) -> None:
    assert loaded.packages() - sys.stdlib_module_names == {"attr", "attrs", "kataven_core"}


def test_it_loads_only_what_shapes_data(loaded: Loaded) -> None:
    public = {name.partition(".")[0] for name in loaded.by_core if not name.startswith("_")}
    assert public - DATA_MODULES == {"kataven_core"}


def test_the_shell_is_loaded_on_demand(loaded: Loaded) -> None:
    missing = {*map(dotted, MODULES)} - {*loaded.by_core}
    assert {name.split(".")[1] for name in missing} == {"codec", "ports", "runtime", "testing"}


# What it exports


def test_every_exported_name_exists() -> None:
    assert [name for name in kataven_core.__all__ if not hasattr(kataven_core, name)] == []


def test_every_public_name_is_exported() -> None:
    public = {name for name, value in vars(kataven_core).items() if name[0] != "_" and not ismodule(value)}
    assert set(kataven_core.__all__) == public | {"__version__"}


def test_exports_are_sorted_constants_then_classes_then_functions() -> None:
    assert kataven_core.__all__ == sorted(
        set(kataven_core.__all__), key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )


# How it is written down


PURE = [module for module in MODULES if not module.startswith(("runtime/", "testing/"))]
VALUES: set[type] = {
    value
    for module in PURE
    for value in vars(import_module(dotted(module))).values()
    if isclass(value) and attrs.has(value) and value.__module__.startswith("kataven_core")
}


@pytest.mark.parametrize("kind", sorted(VALUES, key=str))
def test_values_never_change_and_name_their_parts(kind: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        object.__new__(kind).anything = 1
    assert [part.name for part in attrs.fields(kind) if not part.kw_only] == []


def undocumented(node: ast.Module | ast.ClassDef | ast.FunctionDef, name: str) -> Iterator[str]:
    """Yield the public parts without a docstring."""
    if ast.get_docstring(node) is None:
        yield name
    for part in node.body:
        if (
            isinstance(part, ast.ClassDef | ast.FunctionDef)
            and is_public(part)
            and not isinstance(node, ast.FunctionDef)
        ):
            yield from undocumented(part, f"{name}: {part.name}")


def is_public(part: ast.ClassDef | ast.FunctionDef) -> bool:
    is_overload = any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in part.decorator_list)
    return not part.name.startswith("_") and not is_overload


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("testing/")])
def test_all_that_is_public_has_a_docstring(module: str) -> None:
    tree = ast.parse((SOURCE / module).read_text(encoding="utf-8"))
    assert [*undocumented(tree, module)] == []


# How it is tested

WITHOUT_TESTS = {
    "__init__.py": "exports only: tested above",
    "_version.py": "one constant, read by the build",
    "contacts_csv/__init__.py": "exports only",
    "contacts_csv/limits.py": "constants only: tested where they limit",
    "cycle/__init__.py": "exports only",
    "cycle/decision.py": "values only: tested where they are decided",
    "runtime/__init__.py": "exports only",
    "ports.py": "Protocols and values only: the suites of kataven_core.testing hold what implements them",
}
"""The modules that have no test module of their own, and why; those of ``testing`` are run in ``tests/contract``."""


def test_every_module_has_its_tests() -> None:
    expected = {module: Path(module).with_name(f"test_{Path(module).name}") for module in MODULES}
    missing = {module for module, tests in expected.items() if not (TESTS / tests).exists()}
    assert {module for module in missing if not module.startswith("testing/")} == set(WITHOUT_TESTS)
