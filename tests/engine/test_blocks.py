"""Every architecture against the same network, written by others, and jax.grad in float64."""

from threading import Thread

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bench.engine.measure_blocks as measure_blocks_module
from bench.engine.measure import measure
from bench.engine.measure_blocks import measure_blocks
from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures.registry import ARCHITECTURES, architecture_of
from bench.networks.batches import networks_of
from bench.networks.blocks import blocks_of
from bench.networks.initializers import INITIALIZERS
from bench.networks.losses import LOSSES
from bench.networks.seeds import seed_mesh
from tests.engine.blocks_by_others import BLOCKS, FACTORS, FINALLY, At
from tests.tolerance import FLOAT64_GRAD

WIDTH, DEPTHS, SCALE, INPUT_NORM = 8, (2, 19), 0.9, 1.5
QUICK = ("residual",)


def measured(name, batch_and_length, segments=None):
    """What is measured of one seed in float64, by depth, and its draw; ``segments`` in the place of what is drawn."""
    architecture, family = architecture_of(name), INITIALIZERS["gaussian"].family
    examples = dict(zip(("batch", "length"), batch_and_length, strict=True))
    asked = {"key": 0, "seeds": [0], "dtype": "float64", "mesh": seed_mesh(1), "keep": True, "biased": False}
    batch = blocks_of(architecture, family, width=WIDTH, **examples, **asked)
    found = measure_blocks(
        [batch._replace(segments=segments or batch.segments)],
        mesh=seed_mesh(1),
        architecture=architecture,
        activation=ACTIVATIONS["tanh"],
        loss=LOSSES["mse"],
        scales=np.array([SCALE]),
        gains={key: np.ones(1) for key in architecture.shapes(WIDTH)},
        bias_stds=np.zeros(1),
        input_norms=np.array([INPUT_NORM]),
        depths=DEPTHS,
    )
    return {each.depth: each for _, each in found}, batch


def examples_of(name):
    """(batch, length)"""
    if name.startswith("batchnorm"):
        return 5, 1
    return 1, 9 if name == "conv:dims=2" else {"conv": 4, "tran": 3}.get(name[:4], 1)


def by_jax(name, batch, depth, phi):
    """(‖∂loss/∂W_l‖ over all matrices of a block, ‖∂loss/∂h_l‖, ‖h_l‖, ‖W_l‖) by jax.grad of the network of others."""
    architecture, block = architecture_of(name), BLOCKS[name]
    drawn = [batch.segments(index) for index in range(-(-(depth - 1) // 16))]
    factor = FACTORS.get(name, lambda _depth: {})(depth)

    def stacked(part):
        return np.concatenate([np.asarray(part(blocks))[:, 0] for blocks in drawn])[: depth - 1]

    weights = {k: SCALE * factor.get(k, 1.0) * stacked(lambda b, k=k: b.matrices[k]) for k in drawn[0].matrices}
    inputs = stacked(lambda b: b.inputs)

    def loss(weights, offsets):
        def layer(state, given):
            w, offset, x, number = given
            state = block(state, w, At(phi, x, number, depth))
            first, *others = state if isinstance(state, tuple) else (state,)
            return ((first + offset, *others) if others else first + offset), first + offset

        start = architecture.start(INPUT_NORM * batch.inputs[0])
        _, states = jax.lax.scan(layer, start, (weights, offsets, inputs, jnp.arange(1.0, depth)))
        y = batch.readout[0] @ FINALLY.get(name, lambda h: h)(states[-1])[0, -1]
        return (y - 1) ** 2 / 2, states

    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):  # Flax's layers need them
        gradient = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))
        (grads, deltas), states = gradient(weights, jnp.zeros((depth - 1, *batch.inputs.shape[1:])))

    def norms(arrays):
        return np.sqrt([sum(np.sum(np.square(array[i])) for array in arrays) for i in range(depth - 1)])

    return norms(list(grads.values())), norms([deltas]), norms([states]), norms(list(weights.values()))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.thorough) for name in BLOCKS]
)
def test_it_is_the_network_that_others_write(name):
    with jax.enable_x64(True):
        found, batch = measured(name, examples_of(name))
        for depth, result in found.items():
            expected = by_jax(name, batch, depth, jnp.tanh)
            columns = (result.log10_grad, result.log10_delta, result.log10_activation, result.log10_weight)
            for column, norm in zip(columns, expected, strict=True):
                with np.errstate(divide="ignore"):
                    np.testing.assert_allclose(column[: depth - 1, 0, 0], np.log10(norm), atol=FLOAT64_GRAD)


@pytest.mark.parametrize("activation", [pytest.param(name, marks=pytest.mark.thorough) for name in ACTIVATIONS])
def test_plain_blocks_are_the_fast_engines_networks(activation):
    """At depth 852, far beyond floats, in float64: the same draws, another engine."""
    depth, width, mesh = 852, WIDTH, seed_mesh(1)
    settings = {"scales": np.array([SCALE]), "bias_stds": np.zeros(1), "input_norms": np.array([INPUT_NORM])}
    asked = {"mesh": mesh, "activation": ACTIVATIONS[activation], "loss": LOSSES["output"], "depths": (depth,)}
    with jax.enable_x64(True):
        drawn = {"key": 0, "width": width, "seeds": [0], "dtype": "float64", "mesh": mesh, "keep": True, "biased": False}
        plain = networks_of("gaussian", **drawn)
        (fast,) = measure(plain.segments(activation), plain.inputs, plain.readout, **asked, **settings)
        architecture = architecture_of("plain")
        blocks = blocks_of(architecture, INITIALIZERS["gaussian"].family, batch=1, length=1, **drawn)
        ((_, slow),) = measure_blocks([blocks], architecture=architecture, gains={"W": np.ones(1)}, **asked, **settings)
    for column in ("log10_grad", "log10_activation", "log10_weight", "log10_relative"):
        np.testing.assert_allclose(getattr(slow, column), getattr(fast, column), atol=FLOAT64_GRAD, err_msg=column)


def test_a_draw_that_fails_leaves_no_walk_waiting_for_it():
    def segments(index):
        raise RuntimeError(f"segment {index}")

    with pytest.raises(RuntimeError, match="segment 0"):
        measured("residual", (1, 1), segments)


@pytest.mark.parametrize("number", [2, 3])
def test_a_thread_that_cannot_start_leaves_no_walk_waiting(monkeypatch, number):
    """As where a process may have no more threads: the first walk waits for what is promised to it."""
    start, started = Thread.start, []

    def refused(thread):
        started.append(thread)
        if len(started) == number:  # another that walks, or the one that draws
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(measure_blocks_module, "streams_for", lambda _numbers, _devices: 2)
    monkeypatch.setattr(measure_blocks_module, "DEPTHS", 1)
    monkeypatch.setattr(Thread, "start", refused)
    with pytest.raises(RuntimeError, match="new thread"):
        measured("residual", (1, 1))


def test_every_architecture_has_one_of_others_beside_it():
    assert {name.partition(":")[0] for name in BLOCKS} == set(ARCHITECTURES)
