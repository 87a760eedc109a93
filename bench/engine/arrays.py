"""Measure a network that is held as arrays, without a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jax import Array

from bench.arithmetic.numerics import settled
from bench.engine.measure import measure
from bench.networks.activations import ACTIVATIONS, Activation
from bench.networks.losses import LOSSES
from bench.networks.seeds import place, seed_mesh
from bench.networks.segments import LAYERS, Segment
from bench.settings.checks import DTYPES

if TYPE_CHECKING:
    import pandas as pd


class GradientNorms(NamedTuple):
    """What :func:`gradient_norms` returns: NumPy arrays, float64, with NaN at layers a depth does not have."""

    depths: np.ndarray  # [depths]
    scales: np.ndarray  # [scales]
    log10_grad: np.ndarray  # [depths, scales, layers]: log10 ‖∂loss/∂W_l‖_F, l = 1 … L
    log10_delta: np.ndarray  # [depths, scales, layers]: log10 ‖∂loss/∂z_l‖
    log10_activation: np.ndarray  # [depths, scales, layers]: log10 ‖h_l‖; at L, log10 |y|
    log10_weight: np.ndarray  # [depths, scales, layers]: log10 ‖scale · W_l‖_F; at L, log10 ‖u‖
    log10_relative: np.ndarray  # [depths, scales, layers]: log10 ‖∂loss/∂W_l‖_F ‖W_l‖_F / |loss|; NaN too where it is 0/0

    def to_frame(self) -> pd.DataFrame:
        """One row for each depth, scale and layer 1 … depth, with the values as columns, as in a run's layers."""
        import pandas as pd  # a NumPy user need not wait for it

        layers = np.arange(1, self.log10_grad.shape[-1] + 1)
        depth, scale, layer = (grid.ravel() for grid in np.meshgrid(self.depths, self.scales, layers, indexing="ij"))
        values = {name: getattr(self, name).ravel() for name in self._fields[2:]}
        frame = pd.DataFrame({"depth": depth, "scale": scale, "layer": layer} | values)
        return frame.query("layer <= depth").reset_index(drop=True)


def gradient_norms(
    weights: Any,
    activation: str | Activation | Callable[[Array], Array],
    *,
    x: Any,
    readout: Any,
    biases: Any = None,
    scales: Sequence[float] = (1.0,),
    depths: Sequence[int] | None = None,
    loss: str = "output",
    dtype: str = "float32",
) -> GradientNorms:
    """Gradient norms of a network held as arrays, exact at any magnitude.

    For ``z_l = scale · W_l h_{l-1} + b_l``, ``h_l = phi(z_l)``, ``y = u · h_{L-1}``: log10 ‖∂loss/∂(scale · W_l)‖_F for
    every layer, at every scale and every depth, whose networks are the first L - 1 matrices under the same readout.

    weights: [hidden layers, n, n]; activation: a name, a bench.Activation, or an elementwise function; x, readout (u): [n];
    biases: [hidden layers, n], zero by default; depths: numbers of weight matrices with the readout, at least 2 and at
    most hidden layers + 1, which alone is the default; loss: "output" or "mse"; dtype: "float32" or "float64".

    Weights, biases and x may be of any magnitude that float64 holds, the readout's norm between 1e-30 and 1e30.

    Raises ValueError, naming the argument, for shapes that do not fit, numbers that are not finite, depths outside the
    weights, and unknown names.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype: got {dtype!r}, expected {' or '.join(DTYPES)}")
    if loss not in list(LOSSES):
        raise ValueError(f"loss: got {loss!r}, expected {' or '.join(LOSSES)}")
    stack = _finite("weights", weights)
    if stack.ndim != 3 or stack.shape[1] != stack.shape[2] or 0 in stack.shape:
        raise ValueError(f"weights: got shape {stack.shape}, expected [hidden layers, n, n] with at least one layer")
    hidden, width, _ = stack.shape
    vectors = [_shaped("x", x, (width,)), _shaped("readout", readout, (width,))]
    if not 1e-30 <= np.linalg.norm(vectors[1]) <= 1e30:
        raise ValueError(f"readout: got norm {np.linalg.norm(vectors[1]):g}, expected 1e-30 to 1e30")
    shifts = np.zeros((hidden, width)) if biases is None else _shaped("biases", biases, (hidden, width))
    measured_depths = _depths([hidden + 1] if depths is None else depths, hidden + 1)
    lanes = _finite("scales", scales)
    if lanes.ndim != 1 or not len(lanes) or (lanes < 0).any():
        raise ValueError(f"scales: got {scales!r}, expected finite numbers ≥ 0")
    try:
        phi = ACTIVATIONS.resolve(activation)
    except ValueError as error:
        raise ValueError(f"activation: got {activation!r}, expected {error}") from error
    mesh = seed_mesh(1)
    x_mantissa, x_exponent = _common_exponent(vectors[0])
    shifts, bias_exponent = _common_exponent(shifts)

    def segments(index: int) -> Segment:
        window = slice(index * LAYERS, (index + 1) * LAYERS)
        padding = ((0, LAYERS - len(stack[window])), (0, 0), (0, 0))
        pairs = [_common_exponent(matrix) for matrix in np.pad(stack[window], padding)]
        matrices, exponents = (np.array(part, dtype)[:, None] for part in zip(*pairs, strict=True))
        biases = np.pad(shifts[window], padding[:2]).astype(dtype)
        return place(mesh, Segment(matrices, exponents, biases[:, None]), 1)

    shape = (len(measured_depths), len(lanes), measured_depths[-1])
    found = {name: np.full(shape, np.nan) for name in GradientNorms._fields[2:]}
    with settled(dtype):
        results = measure(
            segments,
            *(place(mesh, vector[None].astype(dtype), 0) for vector in (x_mantissa, vectors[1])),
            input_exponent=x_exponent,
            mesh=mesh,
            activation=phi,
            loss=LOSSES[loss],
            scales=lanes,
            bias_stds=np.full(len(lanes), 0.0 if biases is None else np.ldexp(1.0, bias_exponent)),
            depths=measured_depths,
        )
        for result in results:
            where = measured_depths.index(result.depth), result.lanes, slice(0, result.depth)
            for name, whole in found.items():
                whole[where] = getattr(result, name)[:, 0, :].T
    return GradientNorms(np.array(measured_depths), lanes, **found)


def _finite(name: str, values: Any) -> np.ndarray:
    """float64 numbers. Raises ValueError for anything else than finite real ones."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf" and array.dtype.name not in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
            raise TypeError(f"they are {array.dtype}")
        array = array.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: got {type(values).__name__}, expected an array of real numbers ({error})") from error
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: got numbers that are not finite, expected finite ones")
    return array


def _shaped(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = _finite(name, values)
    if array.shape != shape:
        raise ValueError(f"{name}: got shape {array.shape}, expected {list(shape)}")
    return array


def _depths(values: Any, largest: int) -> list[int]:
    depths = np.unique(_finite("depths", values)).tolist()
    if not depths or depths[0] < 2 or depths[-1] > largest or any(depth != int(depth) for depth in depths):
        raise ValueError(f"depths: got {values!r}, expected whole numbers from 2 to {largest} (the weights and the readout)")
    return [int(depth) for depth in depths]


def _common_exponent(values: np.ndarray) -> tuple[np.ndarray, int]:
    """``values / 2^e`` with the largest magnitude in [1/2, 1), and e."""
    exponent = int(np.frexp(np.abs(values).max())[1])
    return np.ldexp(values, -exponent), exponent
