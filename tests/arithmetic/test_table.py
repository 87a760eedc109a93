"""The page about floats without an end says what the code does."""

import re

import numpy as np

from bench.arithmetic.rules import control, functions, products, structure, sums
from bench.arithmetic.unbounded import RULES
from tests.arithmetic import table


def test_the_table_is_that_of_the_code():
    assert table.PAGE.read_text() == table.page()
    assert sum(len(module.RULES) for module in (control, functions, products, structure, sums)) == len(RULES)


def test_the_example_runs_and_leaves_the_range_of_floats():
    (example,) = re.findall(r"```python\n(.*?)```", table.PAGE.read_text(), re.DOTALL)
    scope: dict = {}
    exec(example, scope)
    # tanh(h) = h but in the first layer, so that the loss is 3 (0.01 w)^500
    np.testing.assert_allclose(scope["slope"].log10_abs(), np.log10(3 * 500 / 0.5) + 500 * np.log10(0.005), rtol=1e-5)
