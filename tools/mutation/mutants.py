"""Every small change to a module that its tests should notice: one mutant for each, as a tree ready to compile.

Left alone, as no test should notice: annotations, docstrings, ``__all__``, assertions, the names that ``NewType`` is
given, and the words of sentences (a text with a space in it, f-strings too; what they fill in is changed like all
else). All other texts are codes, keys, forms and patterns, and are changed.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Pow: ast.Mult,
}
_UNTOUCHED_CALLS = {"assert_never", "NewType", "TypeVar", "cast"}
_UNTOUCHED_FIELDS = ("annotation", "returns", "bases", "ctx", "targets", "target")
_UNTOUCHED_TYPES = (ast.Assert, ast.Import, ast.ImportFrom)

Members = dict[str, list[str]]
"""The enumerations of the core: name to members."""


class Mutant(NamedTuple):
    """One change: where it is made, and the text before and after. ``scope`` is the function or class around it.

    ``make`` gives the whole module with this one change: thousands of them would not fit into memory.
    """

    line: int
    scope: str
    kind: str
    before: str
    after: str
    make: Callable[[], ast.Module]


class _Place(NamedTuple):
    """Where a node hangs: the way down to it from the module, as field names and indices."""

    node: ast.AST
    path: tuple[str | int, ...]
    scope: str


def members_of(files: list[Path]) -> Members:
    """Read which enumerations there are, and their members."""
    found: Members = {}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
                targets = (item.targets[0] for item in node.body if isinstance(item, ast.Assign))
                found[node.name] = [target.id for target in targets if isinstance(target, ast.Name)]
    return found


def mutants_of(source: str, members: Members) -> Iterator[Mutant]:
    """Yield every mutant of a module's source, in the order of the file."""
    tree = ast.parse(source)
    for place in _places(tree):
        for kind, change in _changes(place.node, members):
            after = _text(change(copy.deepcopy(place.node)))
            make = partial(_mutated, tree, place.path, change)
            yield Mutant(_line(place.node), place.scope, kind, _text(place.node), after, make)


def _mutated(tree: ast.Module, path: tuple[str | int, ...], change: Callable[[Any], ast.AST]) -> ast.Module:
    mutated = copy.deepcopy(tree)
    parent, last = _parent(mutated, path)
    _set(parent, last, change(_get(parent, last)))
    return ast.fix_missing_locations(mutated)


def _line(node: ast.AST) -> int:
    return next(line for each in ast.walk(node) if (line := getattr(each, "lineno", 0)))


def _text(node: ast.AST) -> str:
    """Give a node as one line; of a class, a function or a condition only its head."""
    written = ast.unparse(node)
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If):
        end = next(line for line in written.split("\n") if not line.startswith("@"))
        written = written[: written.index(end) + len(end)]
    return " ".join(written.split())


def _get(parent: ast.AST | list[ast.AST], last: str | int) -> Any:
    return parent[last] if isinstance(parent, list) and isinstance(last, int) else getattr(parent, str(last))


def _set(parent: ast.AST | list[ast.AST], last: str | int, node: ast.AST) -> None:
    if isinstance(parent, list) and isinstance(last, int):
        parent[last] = node
    else:
        setattr(parent, str(last), node)


def _parent(tree: ast.AST, path: tuple[str | int, ...]) -> tuple[ast.AST | list[ast.AST], str | int]:
    at: ast.AST | list[ast.AST] = tree
    for step in path[:-1]:
        at = at[step] if isinstance(at, list) and isinstance(step, int) else getattr(at, str(step))
    return at, path[-1]


def _places(tree: ast.Module) -> Iterator[_Place]:
    yield from _below(tree, (), "")


def _below(node: ast.AST, path: tuple[str | int, ...], scope: str) -> Iterator[_Place]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        scope = f"{scope}.{node.name}".lstrip(".")
    for field, value in ast.iter_fields(node):
        if field in _UNTOUCHED_FIELDS:
            continue
        children = enumerate(value) if isinstance(value, list) else ((None, value),)
        for index, child in children:
            if not isinstance(child, ast.AST) or _is_left_alone(child, node):
                continue
            below = (*path, field) if index is None else (*path, field, index)
            yield _Place(child, below, scope)
            yield from _below(child, below, scope)


def _is_left_alone(child: ast.AST, parent: ast.AST) -> bool:
    if isinstance(child, _UNTOUCHED_TYPES) or _is_bare_text(child) or _is_dunder_all(child):
        return True
    if isinstance(child, ast.Constant) and isinstance(parent, ast.JoinedStr):
        return _is_sentence(parent)
    if isinstance(child, ast.Call) and ast.unparse(child.func) in _UNTOUCHED_CALLS:
        return True
    return isinstance(child, ast.Expr) and _is_left_alone(child.value, child)


def _is_bare_text(node: ast.AST) -> bool:
    """Whether a statement is a docstring, or the ``...`` of a Protocol."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_dunder_all(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "__slots__", "__version__")


def _is_sentence(node: ast.JoinedStr) -> bool:
    return any(isinstance(part, ast.Constant) and " " in str(part.value) for part in node.values)


Change = tuple[str, Callable[[Any], ast.AST]]


def _changes(node: ast.AST, members: Members) -> Iterator[Change]:
    """Yield what to make of a node, each with the name of its kind."""
    yield from _conditions(node)
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                for other in _COMPARISONS[type(operator)]:
                    yield "comparison", _with_item("ops", index, other())
        case ast.BoolOp(op=operator, values=values):
            yield "and/or", _with("op", ast.Or() if isinstance(operator, ast.And) else ast.And())
            for index in range(len(values)):
                yield "operand left out", _without_item("values", index)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield "sign left out", _operand
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator):
            yield "operator", _with("op", _OPERATORS[type(operator)]())
        case _:
            yield from _other_parts(node, members)


def _other_parts(node: ast.AST, members: Members) -> Iterator[Change]:
    match node:
        case ast.Constant(value=value):
            yield from _other_values(value)
        case ast.Attribute(value=ast.Name(id=name), attr=member) if member in members.get(name, ()):
            known = members[name]
            yield "member", _with("attr", known[(known.index(member) + 1) % len(known)])
        case ast.Slice(lower=lower, upper=upper):
            bounds = (("lower", lower), ("upper", upper))
            yield from (("bound left out", _with(bound, None)) for bound, given in bounds if given)
        case ast.Call(keywords=keywords):
            for index, keyword in enumerate(keywords):
                if keyword.arg and not _is_truth(keyword.value):  # a truth is turned round instead
                    yield "argument left out", _without_item("keywords", index)
        case _:
            yield from _other_statements(node)


def _is_truth(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _conditions(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.If() | ast.IfExp():
            yield "condition", _with("test", ast.Constant(value=True))
            yield "condition", _with("test", ast.Constant(value=False))
        case ast.While(test=test) if not isinstance(test, ast.Constant):
            yield "condition", _with("test", ast.Constant(value=False))
        case ast.comprehension(ifs=ifs):
            for index in range(len(ifs)):
                yield "condition left out", _without_item("ifs", index)
        case ast.match_case(guard=guard) if guard:
            yield "condition left out", _with("guard", None)
        case _:
            return


def _other_values(value: object) -> Iterator[Change]:
    match value:
        case bool():
            yield "truth", _with("value", not value)
        case int() | float():
            yield "number", _with("value", value + 1)
            yield "number", _with("value", value - 1)
        case str() if " " not in value.strip(" "):
            yield "text", _with("value", f"{value}~" if value else "~")
        case bytes():
            yield "text", _with("value", value + b"~")
        case _:
            return


def _other_statements(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Expr() | ast.Raise() | ast.Delete():
            yield "statement left out", _nothing
        case ast.Return(value=value) if value and not (isinstance(value, ast.Constant) and not value.value):
            yield "nothing returned", _with("value", ast.Constant(value=None))
        case ast.Continue():
            yield "loop", _break
        case ast.Break():
            yield "loop", _continue
        case ast.FunctionDef(decorator_list=decorators) | ast.ClassDef(decorator_list=decorators):
            for index in range(len(decorators)):
                yield "decorator left out", _without_item("decorator_list", index)
        case _:
            return


def _with(field: str, value: object) -> Callable[[Any], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        setattr(node, field, value)
        return node

    return change


def _with_item(field: str, index: int, value: object) -> Callable[[Any], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        getattr(node, field)[index] = value
        return node

    return change


def _without_item(field: str, index: int) -> Callable[[Any], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        items = getattr(node, field)
        del items[index]
        return items[0] if isinstance(node, ast.BoolOp) and len(items) == 1 else node

    return change


def _operand(node: Any) -> ast.AST:
    operand: ast.AST = node.operand
    return operand


def _nothing(node: ast.AST) -> ast.AST:
    return ast.copy_location(ast.Pass(), node)


def _break(node: ast.AST) -> ast.AST:
    return ast.copy_location(ast.Break(), node)


def _continue(node: ast.AST) -> ast.AST:
    return ast.copy_location(ast.Continue(), node)
