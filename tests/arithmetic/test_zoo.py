"""Models as users write them, in floats without an end, against plain float64."""

import jax
import numpy as np
import pytest

import bench
from tests.arithmetic.zoo import MODELS, draws
from tests.tolerance import FLOAT64_GRAD

pytestmark = pytest.mark.thorough

FLOAT32_DECADES = 1e-4
LONGEST = {  # of which half a minute more would tell nothing else
    "cumulative",
    "second derivatives",
    "powers and special functions",
    "transformer with masks",
    "residual convolutions with batch norm",
    "gru backward and unrolled",
    "clipped and compared",
}
IN_FLOAT32 = [name for name in MODELS if name not in LONGEST | {"dropout and noise"}]  # whose float32 noise is other noise


def gradients(name, dtype, transform):
    loss, params = MODELS[name](draws(dtype))
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"), jax.enable_x64(dtype == "float64"):
        found = jax.jit(transform(jax.value_and_grad(loss)))(params)
    return jax.tree.leaves(found, is_leaf=lambda leaf: isinstance(leaf, bench.Extended))


@pytest.fixture(scope="module")
def plain():
    kept: dict[str, list[np.ndarray]] = {}
    return lambda name: kept.setdefault(name, [*map(np.asarray, gradients(name, "float64", lambda f: f))])


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_float64(name, plain):
    for found, expected in zip(gradients(name, "float64", bench.unbounded), plain(name), strict=True):
        assert np.isfinite(expected).all()
        assert np.abs(np.asarray(found.to_float()) - expected).max() <= FLOAT64_GRAD * np.abs(expected).max()
        assert found.log10_norm() == pytest.approx(np.log10(np.linalg.norm(expected)), rel=0, abs=FLOAT64_GRAD)


@pytest.mark.parametrize("name", IN_FLOAT32)
def test_gradients_in_float32_are_as_close_as_float32_is(name, plain):
    for found, expected in zip(gradients(name, "float32", bench.unbounded), plain(name), strict=True):
        assert found.log10_norm() == pytest.approx(np.log10(np.linalg.norm(expected)), rel=0, abs=FLOAT32_DECADES)
