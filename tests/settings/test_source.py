import ast
import sys

import pytest

from bench.settings.source import assigned, evaluate

SOURCE = """
from __future__ import annotations

import math as m
from json import dumps
from nowhere_to_be_found import Figure

BASE: int = 2
LOW, HIGH = BASE, BASE**m.floor(3.5)
UNRELATED = Figure()

def power(exponent: float) -> float:
    return dumps(BASE**exponent)

def draw(low: float) -> Figure:
    return Figure(low)

DECLARED = call(draw, highest=HIGH, function=lambda: power(HIGH))
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "declaring_module.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    return "declaring_module"


def test_an_expression_is_evaluated_with_what_it_needs_and_nothing_else_is_run(module):
    declared = assigned(module, "DECLARED")
    assert isinstance(declared, ast.Call)
    highest, function = (word.value for word in declared.keywords)
    assert evaluate(module, highest) == 8
    assert evaluate(module, function)() == "256"
    with pytest.raises(ModuleNotFoundError):
        evaluate(module, declared.args[0])
    assert module not in sys.modules


def test_what_is_not_assigned_is_none(module):
    assert assigned(module, "MISSING") is None
    assert assigned("no_such_module", "DECLARED") is None
