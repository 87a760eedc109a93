"""What a module's source says, known without running the module: help and ``list`` wait for no library."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any


def assigned(module: str, name: str) -> ast.expr | None:
    """What the module assigns to that name at its top; None if nothing."""
    for statement in reversed(parsed(module).body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return value
    return None


def evaluate(module: str, expression: ast.expr) -> Any:
    """The value of an expression of the module's: of its statements only those run that define a name which is needed."""
    tree = parsed(module)
    names, needed = _used(expression), set()
    while more := {each for each in tree.body if each not in needed and names.intersection(_defined(each))}:
        needed |= more
        names = names.union(*map(_used, more))
    defined: dict[str, Any] = {"__name__": module}
    statements: list[ast.stmt] = [each for each in tree.body if each in needed]
    # annotations stay text, as here: what they name need not be there
    exec(compile(ast.Module(statements, type_ignores=[]), module, "exec"), defined)  # noqa: S102  (our own source)
    return eval(compile(ast.Expression(expression), module, "eval"), defined)  # noqa: S307


@cache
def parsed(module: str) -> ast.Module:
    """The module's source."""
    spec = find_spec(module)
    return ast.parse(getattr(spec and spec.loader, "get_source", lambda _: None)(module) or "")


def _used(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _defined(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a meaning to."""
    match statement:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from ((each.asname or each.name).split(".")[0] for each in names)
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (name for target in targets for name in _used(target))
        case ast.AnnAssign(target=target):
            yield from _used(target)
