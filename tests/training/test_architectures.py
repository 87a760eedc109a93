"""Trainings of networks with other blocks: their steps, how they begin, what is trained beside matrices, what is refused."""

import sys
import types
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest

import bench
from bench.cli.main import main
from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures.registry import architecture_of
from bench.networks.blocks import blocks_of
from bench.networks.initializers import INITIALIZERS
from bench.networks.seeds import seed_mesh
from bench.training.block_network import BlockNetwork, BlockParameters
from bench.training.loop import Kind, State, train_step
from bench.training.optimizers import OPTIMIZERS, Optimizer, Rates, parse_optimizer
from bench.training.plan import cells_in, plan
from bench.training.start import starting_state
from bench.training.tasks import load_task

DEPTH, WIDTH, INPUTS, LENGTH, OUTPUTS, EXAMPLES = 4, 6, 8, 2, 4, 10
RATE, STEPS = 0.1, 3
EXACT = 1e-12  # relative to the largest entry: the same float64 arithmetic, summed in another order
SMALL = {"task": "teacher:inputs=12,examples=200,outputs=4", "widths": [8], "scales": [1.0], "batch": 16, "steps": 3}
SMALL |= {"target": "accuracy=0.5", "learning_rates": [0.1], "depths": [4]}


def network(name: str) -> tuple[BlockParameters, np.ndarray, np.ndarray]:
    """Random parameters of that architecture, biased, and examples."""
    random, architecture = np.random.default_rng(0), architecture_of(name)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(size=shape) / np.sqrt(shape[-1] if shape else 1)

    shapes = architecture.shapes(WIDTH)
    parameters = BlockParameters(
        input=normal(LENGTH * WIDTH, INPUTS // LENGTH),
        hidden={key: normal(DEPTH - 1, *shape) for key, shape in shapes.items()},
        hidden_bias={key: normal(DEPTH - 1, shape[0]) for key, shape in shapes.items()},
        hidden_beside={key: 1 + normal(DEPTH - 1, *each.shape) for key, each in architecture.trained(WIDTH).items()},
        readout=normal(OUTPUTS, WIDTH),
    )
    return parameters, normal(EXAMPLES, INPUTS), np.eye(OUTPUTS)[np.arange(EXAMPLES) % OUTPUTS]


def layer_norm(h: jax.Array) -> jax.Array:
    return jax.nn.standardize(h, axis=-1, epsilon=1e-5)


def branch(name: str, parameters: BlockParameters, layer: int, h: jax.Array) -> jax.Array:
    """What block ``layer`` adds to h [n], of one example and position."""
    matrices, beside = parameters.hidden, parameters.hidden_beside
    biases = parameters.hidden_bias or {}
    if name == "pre_layernorm":
        normed = beside["norm_gain"][layer] * layer_norm(h) + beside["norm_offset"][layer]
        return matrices["W"][layer] @ jnp.tanh(normed) + biases["W"][layer]
    inner = jnp.tanh(matrices["W1"][layer] @ h + biases["W1"][layer])
    return beside["alpha"][layer] * (matrices["W2"][layer] @ inner + biases["W2"][layer])


def plain_loss(name: str, parameters: BlockParameters, x: jax.Array, targets: jax.Array) -> jax.Array:
    """The network written for one example and position, one block after the other."""

    def position(matrix: jax.Array, piece: jax.Array) -> jax.Array:
        h = matrix @ piece
        for layer in range(DEPTH - 1):
            h = h + branch(name, parameters, layer, h)
        return layer_norm(h) if name == "pre_layernorm" else h

    def answer(example: jax.Array) -> jax.Array:
        pieces = jnp.split(example, LENGTH)
        matrices = jnp.split(parameters.input, LENGTH)
        return parameters.readout @ (sum(map(position, matrices, pieces)) / LENGTH)

    return jnp.mean(optax.softmax_cross_entropy(jax.vmap(answer)(x), targets))


@pytest.mark.parametrize(
    "name",
    [
        "residual2:init=rezero",
        *(pytest.param(n, marks=pytest.mark.thorough) for n in ("residual2:init=layerscale", "pre_layernorm")),
    ],
)
def test_steps_are_optax_s_on_the_network_written_plainly(name):
    with jax.enable_x64(True):
        parameters, x, targets = network(name)
        kind = Kind(
            BlockNetwork(architecture_of(name), ACTIVATIONS["tanh"], DEPTH, LENGTH),
            "cross_entropy",
            parse_optimizer("sgd"),
            clipped=False,
            whole=True,
        )
        rates = Rates(np.asarray(RATE), np.asarray(RATE))
        state = State(parameters, kind.optimizer.init(rates, parameters), np.ones((), bool))
        step, gradients = jax.jit(partial(train_step, kind=kind)), jax.jit(jax.grad(partial(plain_loss, name)))
        expected, transformation = parameters, optax.sgd(RATE)
        memory = transformation.init(expected)
        for _ in range(STEPS):
            state, _ = step(state, x, targets, rates, np.asarray(0.0))
            with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):  # optax mixes types
                updates, memory = transformation.update(gradients(expected, x, targets), memory, expected)
                expected = optax.apply_updates(expected, updates)
    leaves = (jax.tree.leaves(jax.device_get(tree)) for tree in (state.parameters, expected, parameters))
    for found, wanted, before in zip(*leaves, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=EXACT * np.max(np.abs(wanted)))
        assert np.abs(found - before).max() > 1e-4  # everything is trained: gates, gains, offsets and biases too


def first_update(optimizer: Optimizer, parameters: BlockParameters) -> BlockParameters:
    rates = Rates(jnp.float32(RATE), jnp.float32(RATE))
    return optimizer.update(rates, parameters, optimizer.init(rates, parameters), parameters)[0]


@pytest.mark.thorough
def test_every_optimizer_updates_what_is_no_matrix():
    for name in ("residual2:init=rezero", "pre_layernorm"):
        parameters, _, _ = network(name)
        shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, jnp.float32), parameters)
        for optimizer in map(parse_optimizer, OPTIMIZERS):
            updates = jax.eval_shape(partial(first_update, optimizer), shapes)
            assert jax.tree.map(jnp.shape, updates) == jax.tree.map(jnp.shape, parameters)


def begun(name: str, **fields) -> BlockParameters:
    """The parameters of the first cell of a training, as they begin."""
    training = bench.Training(**SMALL | {"architectures": [name], "initializers": ["he_gaussian"], "key": 3} | fields)
    chunk = plan(training)[0]
    mesh = seed_mesh(1)
    state = starting_state(training, load_task(training.task), chunk, cells_in(training, chunk), mesh)
    return jax.tree.map(lambda leaf: leaf[0], jax.device_get(state.parameters))


def test_blocks_begin_as_a_sweep_s():
    parameters = begun("residual2:init=fixup", scales=[0.5])
    architecture = architecture_of("residual2:init=fixup")
    how = {"key": 3, "width": 8, "batch": 1, "length": 1, "seeds": [0], "dtype": "float32", "keep": False, "biased": False}
    drawn = blocks_of(architecture, INITIALIZERS["gaussian"].family, mesh=seed_mesh(1), **how)
    first = np.asarray(drawn.segments(0).matrices["W1"])[:3, 0]
    np.testing.assert_allclose(parameters.hidden["W1"], 0.5 * np.sqrt(2 / 4) * first, rtol=1e-6)
    assert not parameters.hidden["W2"].any()
    assert (parameters.readout[0] == np.asarray(drawn.readout)[0]).all()
    # the input layer is drawn by a key of its own, and no scale is on it
    assert abs(np.var(parameters.input) * 12 - 1) < 5 * np.sqrt(2 / parameters.input.size)
    assert abs(np.corrcoef(parameters.input.ravel()[:64], first[0].ravel())[0, 1]) < 4 / np.sqrt(64)


@pytest.mark.thorough
def test_a_recurrent_network_has_one_matrix_for_all_blocks():
    parameters = begun("gru", depths=[40])
    assert {name: matrix.shape for name, matrix in parameters.hidden.items()} == {
        "W": (1, 8, 8),
        "U": (1, 8, 8),
        "V": (1, 16, 8),
        "G": (1, 16, 8),
    }


@pytest.mark.thorough
def test_the_command_line_trains_them(tmp_path, capsys):
    names = ["plain", "residual2:init=rezero", "rnn"]
    options = "--task teacher:inputs=12,examples=200,outputs=4 --widths 8 --scales 1 --batch 16 --steps 3 --depths 4"
    options += f" --length 3 --target accuracy=0.5 --learning-rates 0.1 --quiet --results {tmp_path}"
    assert main(["train", *options.split(), "--architectures", *names]) == 0
    folder = capsys.readouterr().out.strip()
    cells, curves = (pd.read_parquet(f"{folder}/{kind}").set_index("architecture") for kind in ("cells", "curves"))
    assert cells.index.tolist() == names
    assert np.isfinite(cells.final_train_loss).all()
    rezero = curves.loc["residual2:init=rezero"].set_index("step")
    assert rezero.log10_grad_first[0] == -np.inf  # the gate is shut
    assert np.isfinite(rezero.log10_grad_first[1])  # it is trained: now it is open
    shared = curves.loc["rnn"]
    assert (shared.log10_grad_first == shared.log10_grad_last).all()  # of one matrix
    (Path(folder) / "cells" / "chunk-00001.parquet").unlink()  # what is missing is trained again, with the same bits
    assert main(["train", *options.split(), "--architectures", *names]) == 0
    pd.testing.assert_frame_equal(pd.read_parquet(f"{folder}/cells").set_index("architecture"), cells, check_exact=True)
    alone = bench.train(bench.Training(**SMALL), results=tmp_path, name="alone", progress=False)
    expected = pd.read_parquet(alone / "cells").set_index("architecture")
    pd.testing.assert_frame_equal(cells.loc[["plain"]], expected, check_exact=True)


@pytest.mark.thorough
def test_normalization_over_examples_is_over_the_step_s_in_evaluation_too(tmp_path):
    fields = SMALL | {"architectures": ["batchnorm"], "learning_rates": [0.0], "batch": 200, "steps": 1}
    folder = bench.train(bench.Training(**fields), results=tmp_path, progress=False)
    (loss,) = pd.read_parquet(folder / "curves").loss
    (final,) = pd.read_parquet(folder / "cells").final_train_loss
    np.testing.assert_allclose(loss, final, rtol=1e-6)


def test_a_block_that_changes_the_shape_is_refused_in_one_line(tmp_path, monkeypatch):
    module = types.ModuleType("shapeless_trained")
    module.block = lambda h, weights, step: weights["W"](step.phi(h))[:, :, :1]
    monkeypatch.setitem(sys.modules, "shapeless_trained", module)
    training = bench.Training(**SMALL | {"architectures": ["shapeless_trained:block"]})
    with pytest.raises(bench.SweepError, match=r"^architectures: got 'shapeless_trained:block'.*hands on") as caught:
        bench.train(training, results=tmp_path, progress=False)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
