"""The examples of the page: each has the fault that it says, and its cure has not."""

import runpy
from pathlib import Path

import jax
import pytest

import bench

pytestmark = pytest.mark.thorough

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(autouse=True)
def _as_users_have_it():
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


def report_of(name: str, make: str) -> bench.Report:
    loss, params, args = runpy.run_path(str(EXAMPLES / f"{name}.py"))[make](jax.random.key(0))
    return bench.probe(loss, params, *args)


@pytest.mark.parametrize(
    ("name", "verdict", "guilty"), [("rnn", "vanishing", "recurrent"), ("convnet", "vanishing", "layers[0].kernel")]
)
def test_an_example_has_its_fault_and_its_cure_has_not(name, verdict, guilty):
    broken, mended = report_of(name, "make"), report_of(name, "mended")
    assert (broken.verdict, broken.guilty) == (verdict, guilty)
    assert mended.verdict == "healthy"
