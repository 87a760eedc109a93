"""Every number that an optimizer of optax takes has a rule, and its own default keeps it."""

import inspect

import pytest

from bench.training.optimizers import OPTIMIZERS
from bench.training.rules import OF_OPTIMIZERS, OF_TASKS, broken
from bench.training.tasks import TASKS


@pytest.mark.parametrize(
    ("functions", "rules"), [(OPTIMIZERS, OF_OPTIMIZERS), (TASKS, OF_TASKS)], ids=["optimizers", "tasks"]
)
def test_numbers_have_rules_that_their_defaults_keep(functions, rules):
    for name, function in functions.items():
        defaults = {each.name: each.default for each in inspect.signature(function).parameters.values()}
        numbers = {key: value for key, value in defaults.items() if isinstance(value, bool | int | float | tuple)}
        assert not numbers.keys() - rules.keys(), name
        assert not broken(rules, numbers.items()), name


def test_the_first_broken_rule_is_told_by_the_argument_s_name():
    assert broken(OF_OPTIMIZERS, [("b1", 0.9), ("eps", -1.0)]).startswith("for eps ")
    assert not broken(OF_OPTIMIZERS, [("unheard_of", -1.0)])
