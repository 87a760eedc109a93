"""Networks begin as the contract says, with the fans of each of their matrices."""

import jax
import numpy as np
import pytest

import bench
from bench.networks.batches import networks_of
from bench.networks.initializers import INITIALIZERS
from bench.networks.seeds import seed_mesh
from bench.training.draws import draw
from bench.training.plan import cells_of, plan
from bench.training.start import starting_state
from bench.training.tasks import load_task
from bench.training.training import Training
from tests.tolerance import STANDARD_ERRORS

WIDTH = 60
VARIANCE = {  # of W_1 [60, 64] at scale 1, as each scheme's authors define it
    "gaussian": 1 / 64,
    "he_normal": 2 / 64,
    "lecun_uniform": 1 / 64,
    "glorot_normal": 2 / (64 + WIDTH),
    "keras_glorot": 2 / (64 + WIDTH),
    "standard_uniform": 1 / (3 * 64),
    "torch_linear": 1 / (3 * 64),
    "truncated": 0.774 / 64,
    "sparse": 15 / 64,
}
QUICK = ("he_normal", "torch_linear")


def begun(seeds: int = 8, **fields):
    """The parameters of a training's first chunk as they begin, [cells, …], and its cells: eight, or new programs."""
    training = Training(widths=[WIDTH], learning_rates=[0.1], seeds=seeds, **fields)
    chunk = plan(training)[0]
    cells = cells_of(training, chunk.initializers, chunk.activation, WIDTH, biased=chunk.biased)
    state = starting_state(training, load_task(training.task), chunk, cells, seed_mesh(1))
    return jax.device_get(state.parameters), cells


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.thorough) for name in VARIANCE]
)
def test_the_first_matrix_has_the_variance_that_its_own_fans_ask_for(name):
    parameters, _ = begun(initializers=[name], depths=[3], scales=[1.0])
    for values, variance in ((parameters.input, VARIANCE[name]), (parameters.hidden, None)):
        square = values.astype(float).ravel() ** 2
        expected = variance or VARIANCE["gaussian"] * 64 / WIDTH * INITIALIZERS[name].gain ** 2
        if variance is None and name in ("sparse", "truncated"):
            expected = VARIANCE[name] * 64 / WIDTH
        assert abs(square.mean() - expected) < STANDARD_ERRORS * square.std() / np.sqrt(square.size) + 1e-3 * expected


def test_rectangular_draws_of_other_kinds():
    parameters, _ = begun(initializers=["orthogonal"], depths=[3], scales=[1.0])
    np.testing.assert_allclose(parameters.input[0] @ parameters.input[0].T, np.eye(WIDTH), atol=1e-5)
    parameters, _ = begun(initializers=["identity"], depths=[2], scales=[1.5])
    np.testing.assert_allclose(parameters.input[0], 1.5 * np.eye(WIDTH, 64))
    assert parameters.hidden.shape == (8, 0, WIDTH, WIDTH)
    parameters, _ = begun(initializers=["sparse"], depths=[3], scales=[1.0])
    assert (np.count_nonzero(parameters.input[0], axis=1) == 15).all()


def test_biases_are_the_scheme_s_own_or_none():
    parameters, _ = begun(initializers=["gaussian"], depths=[3], scales=[1.0])
    assert parameters.input_bias is None
    assert parameters.hidden_bias is None
    parameters, _ = begun(initializers=["torch_linear"], depths=[3], scales=[1.0])
    for bias, fan_in in ((parameters.input_bias, 64), (parameters.hidden_bias, WIDTH)):
        assert np.abs(bias).max() <= fan_in**-0.5
        assert np.abs(bias).max() > 0.95 * fan_in**-0.5


def test_hidden_layers_and_readout_are_the_sweep_s_and_depths_share_their_prefix():
    parameters, cells = begun(seeds=4, initializers=["he_gaussian"], depths=[40], scales=[0.5, 2.0], key=3)
    shallow, _ = begun(seeds=4, initializers=["he_gaussian"], depths=[3], scales=[0.5, 2.0], key=3)
    drawn = {"key": 3, "width": WIDTH, "seeds": range(8), "dtype": "float32", "keep": False}
    batch = networks_of("gaussian", mesh=seed_mesh(1), **drawn)
    segments = batch.segments("tanh")
    weights = np.concatenate([segments(index).weights for index in range(3)])  # layers 1 and on
    for number, cell in enumerate(cells):
        expected = np.float32(cell.scale * 2**0.5) * weights[1:39, cell.seed]
        np.testing.assert_allclose(parameters.hidden[number], expected, rtol=1e-6)
        assert (shallow.hidden[number] == parameters.hidden[number, :1]).all()
        assert (shallow.input[number] == parameters.input[number]).all()
        assert (parameters.readout[number, 0] == np.asarray(batch.readout)[cell.seed]).all()
    norms = np.linalg.norm(parameters.readout, axis=-1)
    np.testing.assert_allclose(norms, 1, rtol=1e-6)  # ten rows of the unit sphere, never scaled


def test_lsuv_has_unit_variance_on_the_data_in_every_layer():
    parameters, _ = begun(initializers=["lsuv"], activations=["relu"], depths=[20], scales=[1.0])
    h = load_task("digits").x_train[:128]
    for weights in (parameters.input[0], *parameters.hidden[0]):
        z = h @ weights.T
        np.testing.assert_allclose(z.std(), 1, rtol=1e-4)
        h = np.maximum(z, 0)


def test_what_is_drawn_does_not_depend_on_what_is_drawn_beside_it():
    how = {"key": 1, "width": 8, "inputs": 5, "outputs": 3, "depth": 20, "dtype": "float32", "mesh": seed_mesh(1)}
    alone, among = draw("gaussian", seeds=[4], **how), draw("gaussian", seeds=[0, 4, 2, 4], **how)
    for one, many in zip(jax.tree.leaves(alone), jax.tree.leaves(among), strict=True):
        axis = int(one.shape[0] != 1)
        assert (np.take(np.asarray(many), 1, axis) == np.take(np.asarray(one), 0, axis)).all()
        assert (np.take(np.asarray(many), 3, axis) == np.take(np.asarray(one), 0, axis)).all()


def test_an_undefined_scheme_gives_rows_that_say_so(tmp_path, capsys):
    import pandas as pd

    training = Training(
        initializers=["critical", "gaussian"], activations=["softplus"], depths=[3], scales=[1.0], steps=3, widths=[4]
    )
    folder = bench.train(training, results=tmp_path, progress=False)
    cells, curves = (pd.read_parquet(folder / kind).set_index("initializer") for kind in ("cells", "curves"))
    measured = cells.loc[:, "final_train_loss":"log10_update_ratio"]
    assert measured.loc["critical"].isna().all().all()
    assert measured.loc["gaussian"].notna().all().all()
    assert curves.loc["critical", "loss":].isna().all().all()
    assert "critical softplus" in capsys.readouterr().err
