"""Every scheme draws what its documentation says: variances, patterns, biases, critical points, normalization on data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import initializers as jax_initializers

import bench
import bench.sweeps.plan
from bench.cli.main import main
from bench.networks.batches import networks_of
from bench.networks.draws import draw_batches
from bench.networks.initializers import INITIALIZERS
from bench.networks.schemes import families, lane_setting
from bench.networks.seeds import seed_mesh
from bench.networks.unit_variance import BATCH
from tests.tolerance import STANDARD_ERRORS, run_frame

WIDTH = 20
SEEDS = 128  # the mean of ‖z_1‖² is then known to a thirtieth: schemes differ by more
CELL = ["activation", "width", "bias_std", "depth", "scale", "seed"]
# n E w² of each scheme with linear activations, from its paper or framework, for n = fan_in = fan_out
VARIANCE = {
    "identity": 1,
    "scaled_identity": 1.01,
    "gaussian": 1,
    "he_gaussian": 2,
    "critical": 1,
    "lecun_normal": 1,
    "he_normal": 2,
    "glorot_normal": 1,
    "truncated": 0.7737,
    "jax_lecun": 1,
    "flax_default": 1,
    "lecun_uniform": 1,
    "he_uniform": 2,
    "glorot_uniform": 1,
    "keras_glorot": 1,
    "standard_uniform": 1 / 3,
    "torch_linear": 1 / 3,
    "orthogonal": 1,
    "delta_orthogonal": 1,
    "critical_orthogonal": 1,
    "sparse": 15,
}


def steep(z):
    """A user's activation whose critical point is known: phi'(0) = 4."""
    return jnp.tanh(4 * z)


def drawn(name: str, width: int = WIDTH, seeds: int = 2, *, activation: str = "tanh", dtype: str = "float32", keep=True):
    """The segments of a sweep's first seeds."""
    mesh = seed_mesh(seeds)
    networks = networks_of(name, key=0, width=width, seeds=range(seeds), dtype=dtype, mesh=mesh, keep=keep)
    return networks.segments(activation)


def matrices(name: str, width: int = WIDTH, count: int = 100) -> np.ndarray:
    """Independent draws by name: [count, width, width]."""

    def draw(key):
        return INITIALIZERS[name](key, (width, width), jnp.dtype(jnp.float32))

    draws = jax.jit(lambda key: jax.vmap(draw)(jax.random.split(key, count)))
    return np.asarray(draws(jax.random.key(3)))


def assert_near(values: np.ndarray, mean: float) -> None:
    """The mean of independent values within STANDARD_ERRORS of the law."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - mean) <= STANDARD_ERRORS * error + 1e-5 * mean


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.thorough)])
def test_what_a_run_multiplies_has_the_documented_variance(tmp_path, dtype):
    """Of z_1 = scale · W x + b with ‖x‖² = n: E ‖z_1‖² / n = scale² · n E w² + bias_std²."""
    assert set(VARIANCE) | {"lsuv"} == set(INITIALIZERS)
    fields = {"activations": ["linear"], "depths": [2], "scales": [0.5, 1.3], "widths": [WIDTH], "seeds": SEEDS}
    names = list(VARIANCE) if dtype == "float32" else ["gaussian", "he_uniform", "orthogonal", "torch_linear"]
    layers = run_frame(tmp_path, kind="layers", initializers=names, dtype=dtype, **fields)
    first = layers[layers.layer == 1]
    for (name, bias_std, scale), rows in first.groupby(["initializer", "bias_std", "scale"]):
        assert bias_std == (1 / np.sqrt(3 * WIDTH) if name == "torch_linear" else 0)
        assert_near(10 ** (2 * rows.log10_activation) / WIDTH, scale**2 * VARIANCE[name] + bias_std**2)
    assert len(first) == 2 * SEEDS * len(names)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("he_normal", jax_initializers.he_normal()),
        ("he_uniform", jax_initializers.he_uniform()),
        ("glorot_normal", jax_initializers.glorot_normal()),
        ("glorot_uniform", jax_initializers.glorot_uniform()),
        ("truncated", jax_initializers.truncated_normal(1 / np.sqrt(WIDTH))),
        ("standard_uniform", lambda *draw: jax_initializers.uniform(2 / np.sqrt(WIDTH))(*draw) - 1 / np.sqrt(WIDTH)),
        ("orthogonal", jax_initializers.orthogonal()),
        ("lsuv", jax_initializers.orthogonal()),
    ],
)
def test_a_scheme_by_name_draws_what_jax_draws(name, reference):
    shape = (WIDTH, WIDTH), jnp.dtype(jnp.float32)
    draws = jax.jit(lambda key: (INITIALIZERS[name](key, *shape), reference(key, *shape)))
    np.testing.assert_allclose(*draws(jax.random.key(7)), rtol=0, atol=1e-6)


def test_a_truncated_normal_ends_at_two_sigma():
    largest = np.abs(matrices("truncated")).max() * np.sqrt(WIDTH)
    assert 1.99 < largest < 2 + 1e-5


@pytest.mark.parametrize("width", [1, 3, 15, 40])
def test_sparse_rows_have_fifteen_weights_at_places_of_their_own(width):
    present = matrices("sparse", width) != 0
    assert (present.sum(axis=-1) == min(15, width)).all()
    if width > 15:
        columns = present.mean(axis=(0, 1))
        error = np.sqrt(15 / width * (1 - 15 / width) / (len(present) * width))
        np.testing.assert_allclose(columns, 15 / width, rtol=0, atol=STANDARD_ERRORS * error)


def test_the_noise_of_a_scaled_identity():
    noise = np.square(matrices("scaled_identity") - np.eye(WIDTH)).mean(axis=(-1, -2))
    assert_near(noise, 0.1**2 / WIDTH)


def test_torchs_biases_are_uniform():
    biases = np.asarray(drawn("torch_linear", seeds=16)(0).biases).ravel()
    assert_near(biases**2, 1)
    assert 1.7 < np.abs(biases).max() <= np.sqrt(3) * (1 + 1e-6)


def test_torchs_own_bias_gives_way_to_one_that_is_asked_for(tmp_path):
    own = 1 / np.sqrt(3 * WIDTH)
    for asked, found in [((0.0,), {own}), ((0.0, 0.3), {own, 0.3}), ((0.0, own), {own})]:
        fields = {"initializers": ["torch_linear"], "bias_stds": asked, "widths": [WIDTH], "seeds": 1}
        cells = run_frame(tmp_path, f"{len(asked)}-{asked[-1]}", **fields)
        assert set(cells.bias_std) == found
        assert not cells.duplicated(CELL).any()


@pytest.mark.parametrize("name", ["critical", "critical_orthogonal"])
def test_critical_schemes_sit_at_the_critical_point(tmp_path, name):
    def setting(activation: str, bias_std: float = 0.0):
        return lane_setting(name, activation, WIDTH, 1.0, bias_std)

    np.testing.assert_allclose(setting("tanh"), (1, 0), atol=1e-9)
    np.testing.assert_allclose(setting("relu"), (np.sqrt(2), 0), atol=1e-9)
    np.testing.assert_allclose(setting("tests.networks.test_initializers:steep"), (0.25, 0), atol=1e-6)
    assert setting("gelu")[1] == pytest.approx(0.4158, abs=1e-4)
    weight_std, bias_std = setting("tanh", 0.3)
    assert weight_std > 1
    assert bias_std == 0.3
    # and these are the networks that are measured
    fields = {"widths": [WIDTH], "seeds": 2, "scales": [1.0], "depths": [2, 30], "activations": ["gelu"]}
    critical = run_frame(tmp_path, "critical", initializers=[name], **fields)
    plain = {"initializers": ["gaussian" if name == "critical" else "orthogonal"]}
    (gain, bias_std) = setting("gelu")
    same = run_frame(tmp_path, "plain", **fields | plain | {"scales": [gain], "bias_stds": [bias_std]})
    for column in [*CELL, "log10_grad_first", "log10_output"]:
        if column != "scale":
            np.testing.assert_array_equal(critical[column], same[column])


def test_without_a_critical_point_rows_are_nan_and_one_line_says_so(tmp_path, capsys):
    fields = {"initializers": ["gaussian", "critical"], "activations": ["tanh", "softplus"], "seeds": 2}
    cells = run_frame(tmp_path, **fields)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    for word in ("critical softplus", "bias_std 0", "χ₁ = 1"):
        assert word in line
    layers = run_frame(tmp_path, kind="layers", **fields)
    assert capsys.readouterr().err == ""  # nothing was left to measure
    for rows in (cells, layers):
        undefined = (rows.initializer == "critical") & (rows.activation == "softplus")
        values = rows.loc[:, rows.columns.str.startswith("log10")]
        assert undefined.any()
        assert values[undefined].isna().all(axis=None)
        assert values[~undefined].notna().all(axis=None)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-11)])
@pytest.mark.parametrize("activation", ["linear", "tanh", "relu", "softplus"])
def test_lsuv_has_unit_variance_at_every_layer_on_its_batch(activation, dtype, tolerance):
    """Run in float64 NumPy beyond two segments; weights that are drawn again, in any order, are the same to the bit."""
    seeds, count = 2, 3
    with jax.enable_x64(dtype == "float64"):
        kept = drawn("lsuv", activation=activation, dtype=dtype)
        again = drawn("lsuv", activation=activation, dtype=dtype, keep=False)
        segments = [kept(index) for index in range(count)]
        for index in (1, 0, 2, 2, 0):
            jax.tree.map(np.testing.assert_array_equal, again(index), segments[index])
        exact = [
            np.ldexp(np.asarray(s.weights, float), np.asarray(s.weight_exponent, int)[..., None, None]) for s in segments
        ]
    with jax.enable_x64(True):
        for seed in range(seeds):
            h = draw_batches(0, WIDTH, [seed], BATCH, "float64")[0]
            np.testing.assert_allclose(np.linalg.norm(h, axis=1), np.sqrt(WIDTH))
            for weights in np.concatenate(exact)[:, seed]:
                z = h @ weights.T
                assert abs(z.std() - 1) < tolerance
                gram = weights @ weights.T  # a multiple of the identity still
                np.testing.assert_allclose(gram / gram[0, 0], np.eye(WIDTH), atol=1e-5)
                h = np.asarray(bench.ACTIVATIONS[activation](jnp.asarray(z)))


def test_lsuv_leaves_a_layer_alone_that_does_not_vary():
    """Width 1 under an even activation: every example has the same z, and dividing by rounding noise would be wrong."""
    weights = np.asarray(drawn("lsuv", width=1, activation="tests.networks.test_initializers:even")(0).weights)
    np.testing.assert_array_equal(np.abs(weights[1:]), 1)


def even(z):
    """phi(z) = phi(-z)."""
    return jnp.cos(z)


@pytest.mark.optimized
def test_a_family_together_has_the_bits_of_each_alone(tmp_path, monkeypatch):
    fields = {"activations": ["tanh", "gelu"], "depths": [2, 40], "widths": [WIDTH], "scales": [0.7, 1.0, 2.5], "seeds": 3}
    names = list(INITIALIZERS)
    together = run_frame(tmp_path, "together", initializers=names, **fields)
    monkeypatch.setattr(bench.sweeps.plan, "CHUNK_BYTES", 2**16)  # one seed at a time, its weights drawn twice
    values = together.columns[together.columns.str.startswith("log10")].tolist()
    for name in ("he_gaussian", "critical", "truncated", "he_uniform", "torch_linear", "critical_orthogonal", "lsuv"):
        alone = run_frame(tmp_path, name, initializers=[name], **fields | {"activations": ["gelu"]})
        both = alone.merge(together, on=["initializer", *CELL], suffixes=("", "_together"), validate="one_to_one")
        assert len(both) == len(alone) == (together.initializer == name).sum() / 2
        np.testing.assert_array_equal(both[values], both[[f"{value}_together" for value in values]])

    def rows(name: str) -> np.ndarray:
        return together[together.initializer == name].sort_values(CELL)[values].to_numpy()

    for same in (["lecun_normal", "jax_lecun", "flax_default", "glorot_normal"], ["glorot_uniform", "keras_glorot"]):
        for name in same:
            np.testing.assert_array_equal(rows(name), rows(same[0]))
    some = ["orthogonal", "gaussian", "lsuv", "critical", "lecun_uniform", "torch_linear", "critical_orthogonal"]
    together = {family for family in families(some) if len(family) > 1}
    assert together == {("orthogonal", "critical_orthogonal"), ("gaussian", "critical")}


def test_he_gaussian_is_gaussian_at_root_two(tmp_path):
    fields = {"depths": [2, 40], "widths": [WIDTH], "seeds": 3}
    he = run_frame(tmp_path, "he", initializers=["he_gaussian"], scales=[1.0], **fields)
    gaussian = run_frame(tmp_path, "gaussian", initializers=["gaussian"], scales=[np.sqrt(2)], **fields)
    np.testing.assert_array_equal(he.log10_grad_first, gaussian.log10_grad_first)


def test_every_scheme_works_at_the_smallest_width(tmp_path):
    fields = {"depths": [2, 20], "widths": [1], "scales": [1.0], "seeds": 2}
    cells = run_frame(tmp_path, initializers=list(INITIALIZERS), **fields)
    assert len(cells) == 2 * 2 * len(list(INITIALIZERS))
    assert not cells.isna().any(axis=None)


def test_the_list_has_a_line_for_each(capsys):
    main(["list"])
    listed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    for name, initializer in INITIALIZERS.items():
        assert listed[name].endswith(initializer.summary)
        assert len(listed[name]) <= 125
