"""The engine against plain float64 jax.grad where float64 can hold the answer, and against mpmath where it cannot."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bench
from bench.networks.activations import ACTIVATIONS
from tests.engine.plain import plain
from tests.tolerance import EXACT, FLOAT64_GRAD, run_frame

WIDTH, HIDDEN = 8, 20
DEPTHS, SCALES = (2, 18, 21), (0.4, 1.0, 1.7)


def network(width=WIDTH, hidden=HIDDEN, seed=0, bias_std=0.0):
    """Gaussian weights, an input of norm √width, a unit readout, biases."""
    rng = np.random.default_rng(seed)
    x, u = rng.normal(size=(2, width))
    weights = rng.normal(size=(hidden, width, width)) / np.sqrt(width)
    biases = bias_std * rng.normal(size=(hidden, width))
    return weights, x * np.sqrt(width) / np.linalg.norm(x), u / np.linalg.norm(u), biases


def reference(phi, loss, weights, biases, x, readout):
    """log10 ‖∂loss/∂W_l‖ from jax.grad in float64, for every l (the readout included)."""
    found = plain(phi, weights, biases, x, readout, loss=loss)
    with np.errstate(divide="ignore"):
        return np.log10(np.append(np.linalg.norm(found.weights, axis=(1, 2)), np.linalg.norm(found.readout)))


@pytest.mark.parametrize(("loss", "bias_std"), [("output", 0.0), ("mse", 0.3)])
@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_every_layer_equals_float64_jax_grad(name, loss, bias_std):
    weights, x, readout, biases = network(bias_std=bias_std)
    measured = bench.gradient_norms(
        weights, name, x=x, readout=readout, biases=biases, scales=SCALES, depths=DEPTHS, loss=loss, dtype="float64"
    )
    for i, depth in enumerate(DEPTHS):
        for j, scale in enumerate(SCALES):
            hidden = depth - 1
            exact = reference(ACTIVATIONS[name].function, loss, scale * weights[:hidden], biases[:hidden], x, readout)
            np.testing.assert_allclose(measured.log10_grad[i, j, :depth], exact, rtol=0, atol=FLOAT64_GRAD)
            assert np.isnan(measured.log10_grad[i, j, depth:]).all()


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_float32_equals_float64_where_rounding_does_not_grow(name):
    weights, x, readout, _ = network()
    both = [
        bench.gradient_norms(weights, name, x=x, readout=readout, scales=[0.4, 1.0], dtype=dtype).log10_grad
        for dtype in ("float32", "float64")
    ]
    np.testing.assert_allclose(*both, rtol=0, atol=10 * HIDDEN * EXACT["float32"])


def high_precision(name, weights, x, readout, scale):
    """(log10 ‖∂y/∂W_1‖, log10 |y|) by back-propagation in mpmath, 60 digits and any exponent."""
    one = mpmath.mpf(1)
    functions = {
        "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
        "sigmoid": (lambda z: one / (1 + mpmath.exp(-z)), lambda z: mpmath.exp(-z) / (1 + mpmath.exp(-z)) ** 2),
        "relu": (lambda z: max(z, mpmath.mpf(0)), lambda z: one if z > 0 else mpmath.mpf(0)),
        "elu": (lambda z: z if z > 0 else mpmath.expm1(z), lambda z: one if z > 0 else mpmath.exp(z)),
        "gelu": (lambda z: z * mpmath.ncdf(z), lambda z: mpmath.ncdf(z) + z * mpmath.npdf(z)),
        "silu": (
            lambda z: z / (1 + mpmath.exp(-z)),
            lambda z: (1 + mpmath.exp(-z) + z * mpmath.exp(-z)) / (1 + mpmath.exp(-z)) ** 2,
        ),
        "softplus": (lambda z: mpmath.log1p(mpmath.exp(z)), lambda z: one / (1 + mpmath.exp(-z))),
        "erf": (mpmath.erf, lambda z: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-z * z)),
        "linear": (lambda z: z, lambda _: one),
    }
    phi, slope = functions[name]
    with mpmath.workdps(60):
        matrices = [mpmath.matrix(w.tolist()) * scale for w in weights]
        h, slopes = mpmath.matrix(x.tolist()), []
        for matrix in matrices:
            z = matrix * h
            h, d = z.apply(phi), z.apply(slope)
            slopes.append(d)
        u = mpmath.matrix(readout.tolist())
        y = (u.T * h)[0]
        cotangent = u
        for matrix, d in zip(reversed(matrices[1:]), reversed(slopes[1:]), strict=True):
            cotangent = matrix.T * mpmath.matrix([c * s for c, s in zip(cotangent, d, strict=True)])
        delta = mpmath.matrix([c * s for c, s in zip(cotangent, slopes[0], strict=True)])
        norm = mpmath.norm(delta) * mpmath.norm(mpmath.matrix(x.tolist()))
        return float(mpmath.log10(norm)), float(mpmath.log10(abs(y)))


@pytest.mark.parametrize(
    ("name", "scale"), [("linear", 0.03), ("linear", 17.0), ("tanh", 0.25), ("relu", 17.0), ("gelu", 0.5)]
)
def test_depth_852_beyond_float64(name, scale):
    weights, x, readout, _ = network(width=4, hidden=851, seed=5)
    if name == "relu":
        weights = np.abs(weights)  # or some layer is all off, at this width and depth
    grad, output = high_precision(name, weights, np.abs(x), readout, scale)
    for dtype in ("float32", "float64"):
        measured = bench.gradient_norms(weights, name, x=np.abs(x), readout=readout, scales=[scale], dtype=dtype)
        assert abs(measured.log10_grad[0, 0, 0] - grad) < 851 * EXACT[dtype]
        assert abs(measured.log10_activation[0, 0, -1] - output) < 851 * EXACT[dtype]
    assert abs(grad) > 200


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [30.0, 1000.0, 1e7])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "elu", "gelu", "silu", "softplus", "erf"])
def test_saturated_tails_are_numbers(name, scale, dtype):
    """One unit, negative or saturated: phi and phi' fall far below every float, and are neither zero nor clipped."""
    tolerance = {"rtol": 1e-9, "atol": 1e-9} if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-5}
    weights = np.array([[[-0.7]], [[0.9]], [[1.1]], [[-0.6]]])
    x, readout = np.array([1.0]), np.array([1.0])
    grad, output = high_precision(name, weights, x, readout, scale)
    measured = bench.gradient_norms(weights, name, x=x, readout=readout, scales=[scale], dtype=dtype)
    np.testing.assert_allclose(measured.log10_grad[0, 0, 0], grad, **tolerance)
    np.testing.assert_allclose(measured.log10_activation[0, 0, -1], output, **tolerance)
    assert np.isfinite(grad)


def test_mse_far_from_and_near_its_target():
    weights, x, readout, _ = network(hidden=300, seed=2)
    # y from 10^-150 to 10^150: the derivative y - 1 is -1, then y
    norms = {
        loss: bench.gradient_norms(weights, "linear", x=x, readout=readout, scales=[0.3, 9.0], loss=loss)
        for loss in ("output", "mse")
    }
    factor = norms["mse"].log10_delta[0, :, -1]
    np.testing.assert_allclose(factor, np.maximum(norms["output"].log10_activation[0, :, -1], 0), atol=1e-6)
    np.testing.assert_allclose(norms["mse"].log10_grad[0], norms["output"].log10_grad[0] + factor[:, None], atol=1e-3)


def test_weights_of_any_magnitude_act_as_their_scale():
    weights, x, readout, _ = network()
    plain = bench.gradient_norms(weights, "tanh", x=x, readout=readout, scales=[1.0])
    for exponent in (-1000, -100, 100, 1000):
        other = weights * 2.0**exponent
        scaled = bench.gradient_norms(other, "tanh", x=x, readout=readout, scales=[2.0**-exponent])
        np.testing.assert_array_equal(plain.log10_grad, scaled.log10_grad)
    # and inputs and biases of any magnitude
    far = bench.gradient_norms(weights, "linear", x=x * 2.0**-900, readout=readout)
    near = bench.gradient_norms(weights, "linear", x=x, readout=readout)
    np.testing.assert_allclose(far.log10_activation, near.log10_activation - 900 * np.log10(2), atol=1e-9)
    biases = np.full((HIDDEN, WIDTH), 2.0**900)
    shifted = bench.gradient_norms(weights, "linear", x=x, readout=readout, biases=biases)
    assert (shifted.log10_activation[0, 0, :-1] > 250).all()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["linear", "relu", "leaky_relu"]), st.floats(1e-3, 1e3), st.integers(2, 60), st.integers(0, 99))
def test_homogeneous_activations_scale_exactly(name, scale, depth, seed):
    """For phi(c z) = c phi(z): log10 ‖∂y/∂W_l‖ grows by (L - 2) log10 c at every l < L when all weights grow by c."""
    weights, x, readout, _ = network(hidden=59, seed=seed)
    norms = bench.gradient_norms(weights, name, x=x, readout=readout, scales=[1.0, scale], depths=[depth]).log10_grad
    hidden = norms[0, :, : depth - 1]
    if scale != 1.0:
        shift = (depth - 2) * np.log10(scale)
        unit, scaled = (0, 1)
        finite = np.isfinite(hidden[unit])
        np.testing.assert_array_equal(finite, np.isfinite(hidden[scaled]))
        np.testing.assert_allclose(hidden[scaled][finite], hidden[unit][finite] + shift, atol=2e-5 * depth)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_what_an_activation_declares_of_itself_is_true(name):
    activation = ACTIVATIONS[name]

    @jax.jit
    def told(z):
        return activation(z), activation.value_and_slope(z), jax.vmap(jax.grad(activation.function))(z), activation(8 * z)

    z = np.append(np.linspace(-9, 9, 1999), [-1e8, 1e8, 0.0])
    with jax.enable_x64(True):
        phi, (value, slope), derivative, eightfold = jax.tree.map(lambda part: np.asarray(part)[:1999], told(z))
        *far, zero = np.asarray(told(z)[0])[1999:]
    if not activation.homogeneous:
        assert np.abs(far - np.array(activation.asymptotes) * [-1e8, 1e8]).max() < 2
    assert (zero == 0) == activation.vanishes_at_zero
    np.testing.assert_allclose(value.mantissa * 2.0**value.log2, phi, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(slope.mantissa * 2.0**slope.log2, derivative, rtol=1e-9, atol=1e-14)
    if activation.homogeneous:
        np.testing.assert_allclose(eightfold, 8 * phi)


def test_a_users_function_and_bad_arrays():
    weights, x, readout, _ = network()

    def cubic(z):
        return z - z**3 / 6

    exact = reference(cubic, "output", 0.5 * weights, np.zeros((HIDDEN, WIDTH)), x, readout)
    measured = bench.gradient_norms(weights, cubic, x=x, readout=readout, scales=[0.5], dtype="float64")
    np.testing.assert_allclose(measured.log10_grad[0, 0], exact, atol=FLOAT64_GRAD)
    for arguments, field in [
        ({"weights": weights[0]}, "weights"),
        ({"x": x[:3]}, "x"),
        ({"depths": [99]}, "depths"),
        ({"loss": "hinge"}, "loss"),
        ({"dtype": "float16"}, "dtype"),
        ({"scales": [-1.0]}, "scales"),
        ({"depths": [2.5]}, "depths"),
        ({"depths": ["a"]}, "depths"),
        ({"weights": weights * np.nan}, "weights"),
        ({"weights": weights + 1j}, "weights"),
        ({"weights": np.zeros((2, 0, 0))}, "weights"),
        ({"readout": 0 * readout}, "readout"),
    ]:
        everything = {"weights": weights, "x": x, "readout": readout} | arguments
        with pytest.raises(ValueError, match=f"^{field}: got"):
            bench.gradient_norms(everything.pop("weights"), "tanh", **everything)


def test_an_activation_without_a_derivative_somewhere_is_told_so():
    weights, x, readout, _ = network()
    with pytest.raises(ValueError, match="it is NaN somewhere in -2 to 2"):
        bench.gradient_norms(weights, jnp.sqrt, x=x, readout=readout)


@pytest.mark.parametrize(
    "function", [jax.nn.softmax, lambda z: z[..., ::-1], lambda z: z.sum(), lambda z: z > 0, np.tanh, 5, "rleu"]
)
def test_what_does_not_act_element_by_element_is_refused(function):
    weights, x, readout, _ = network()
    with pytest.raises(ValueError, match=r"^activation: got .* expected "):
        bench.gradient_norms(weights, function, x=x, readout=readout)


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.thorough)])
def test_nothing_is_undefined_at_any_scale(tmp_path, dtype):
    """Narrow networks at scales far from any use: saturated, dead, collapsed, but never NaN and never +inf.

    Every function at widths 1 and 3, one in float32 and the other in float64, in turns.
    """
    extremes = {"scales": [0.0, 1e-38, 0.1, 17.0, 1e10, 1e38, 1e300], "bias_stds": [0.0, 0.1, 1e30], "depths": [2, 3, 100]}
    names = list(ACTIVATIONS)
    for width, turn in ((1, dtype == "float64"), (3, dtype == "float32")):
        layers = run_frame(
            tmp_path,
            f"width-{width}",
            kind="layers",
            initializers=["gaussian"],
            activations=names[turn::2],
            widths=[width],
            seeds=3,
            dtype=dtype,
            loss="mse",
            **extremes,
        )
        for value in ("log10_grad", "log10_delta", "log10_activation"):
            assert not layers[value].isna().any()
            assert (layers[value] < np.inf).all()
