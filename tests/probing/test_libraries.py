"""Models of libraries as their users write them; the project itself imports none of them."""

import jax
import jax.numpy as jnp
import numpy as np
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


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_layers_that_linen_scans_over_are_a_row_each():
    nn = pytest.importorskip("flax.linen")

    class Layer(nn.Module):
        @nn.compact
        def __call__(self, h, _):
            return jnp.tanh(nn.Dense(8)(h)), None

    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            layers = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=3)
            return nn.Dense(1, name="a_head")(layers(name="layers")(x, None)[0])

    model = Model()
    report = bench.probe(lambda params, x: jnp.mean(model.apply(params, x) ** 2), model.init(jax.random.key(0), X), X)
    layers = [f"params.layers.Dense_0.kernel[{i}]" for i in range(3)]
    assert report.table["path"].tolist()[::2] == [*layers, "params.a_head.kernel"]
    assert report.activations["path"].tolist() == [*layers, "params.a_head.kernel"]


@pytest.mark.thorough
def test_layers_that_equinox_stacks_are_a_row_each():
    eqx = pytest.importorskip("equinox")
    layers = eqx.filter_vmap(lambda key: eqx.nn.Linear(8, 8, key=key))(jax.random.split(jax.random.key(0), 3))

    def loss(layers, x):
        arrays, static = eqx.partition(layers, eqx.is_array)

        def layer(h, arrays):
            return jnp.tanh(jax.vmap(eqx.combine(arrays, static))(h)), None

        return jnp.mean(jax.lax.scan(layer, x, arrays)[0] ** 2)

    table = bench.probe(loss, layers, X).table
    assert table["path"].tolist() == [f"{name}[{i}]" for i in range(3) for name in ("weight", "bias")]
    assert np.isfinite(table["log10_cotangent"][::2]).all()


@pytest.mark.thorough
def test_layers_that_nnx_stacks_are_a_row_each():
    nnx = pytest.importorskip("flax.nnx")

    @nnx.vmap(in_axes=0, out_axes=0)
    def stacked(rngs):
        return nnx.Linear(8, 8, rngs=rngs)

    graph, params = nnx.split(stacked(nnx.Rngs(0).split(3)))

    @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
    def through(h, layer):
        return jnp.tanh(layer(h))

    table = bench.probe(lambda params, x: jnp.mean(through(x, nnx.merge(graph, params)) ** 2), params, X).table
    assert sorted(table["path"]) == [f"{name}[{i}]" for name in ("bias", "kernel") for i in range(3)]
    assert table["layer"].tolist() == [1, 1, 2, 2, 3, 3]
