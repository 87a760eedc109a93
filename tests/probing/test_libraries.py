"""Models of libraries, where they are installed: none of them is imported by the project."""

import jax
import jax.numpy as jnp
import pytest

import bench

X = jax.random.normal(jax.random.key(5), (4, 8))


@pytest.fixture(autouse=True)
def _as_users_have_it():
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


def test_an_equinox_module_is_taken_as_it_is():
    eqx = pytest.importorskip("equinox")
    model = eqx.nn.MLP(8, 1, 16, 2, key=jax.random.key(0))
    table = bench.probe(lambda model, x: jnp.mean(jax.vmap(model)(x) ** 2), model, X).table
    assert table["path"].tolist() == [f"layers[{i}].{name}" for i in range(3) for name in ("weight", "bias")]


def test_an_nnx_state_with_dropout_and_batch_statistics_is_merged_within_the_loss():
    nnx = pytest.importorskip("flax.nnx")

    class Model(nnx.Module):
        def __init__(self, rngs):
            self.encoder = nnx.Linear(8, 16, rngs=rngs)
            self.norm = nnx.BatchNorm(16, rngs=rngs)
            self.drop = nnx.Dropout(0.1, rngs=rngs)
            self.a_head = nnx.Linear(16, 1, rngs=rngs)

        def __call__(self, x):
            return self.a_head(self.drop(jax.nn.relu(self.norm(self.encoder(x)))))

    graph, params, rest = nnx.split(Model(nnx.Rngs(0)), nnx.Param, ...)
    table = bench.probe(lambda p, rest, x: jnp.mean(nnx.merge(graph, p, rest, copy=True)(x) ** 2), params, rest, X).table
    assert table["path"].tolist()[::2] == ["encoder.kernel", "norm.scale", "a_head.kernel"]
    assert table["layer"].tolist() == [1, 1, 2, 2, 3, 3]
