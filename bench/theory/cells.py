"""Laws of recurrent cells with gates, as if every step had matrices of its own (Gilboa et al. 2019, arXiv 1901.08987).

That is good for √n steps, as in :mod:`bench.theory.lone_blocks`. V, G: mean squares of h and ∂y/∂h. Gates and candidates
are of N(0, q), q = σ²(V + 1), independent of each other and of what their unit holds.

GRU, with a = r w + N(0, σ²), w ~ N(0, σ²V), M the mean of h and k the keeping gate:

    V_l = E (1-k)² E φ(a)² + 2 E k(1-k) M E φ(a) + E k² V
    G_{l-1} = G_l (E k² + σ² (E (1-k)² E φ′(a)² (r² + w² r′²) + E k′² E (φ(a) - h)²))

LSTM: the cell c of a unit is followed in UNITS units, for its distribution has no name; with f, i, o the gates, S_l the mean
square of ∂y/∂c_l given the unit, and g_l = ∂y/∂h_l, which is a new normal number in every unit:

    S_l = f_{l+1}² S_{l+1} + G_l (o_l φ′(c_l))²
    G_{l-1} = σ² E [S_l ((c_{l-1} f′)² + (φ i′)² + (i φ′)²) + G_l (φ(c_l) o′)²]
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.special import expit, ndtri

from bench.theory.block import LARGEST_STD, Block, Cotangents, Law, Pull, Setting, log, scaled, steps
from bench.theory.nonlinearities import Nonlinearity

UNITS = 2048
NODES = 24  # of a quadrature over three normal numbers


def _gru(setting: Setting) -> Iterator[Block]:
    square, value, mean = setting.std**2, setting.input_norm**2, 0.0
    for _ in steps(setting):
        keep, keep2, mixed, open2, slope2 = _moments_of_gate(square * (value + 1))
        middle, height, slope, first, second = _candidate(setting.phi, square, value)
        unlike = height - 2 * mean * middle + value  # E (φ(a) - h)²
        by_matrix, by_gates = open2 * first, open2 * second + slope2 * unlike
        pull = scaled(
            log(keep2 + square * (by_matrix + by_gates)), log(value * by_matrix + open2 * slope + (value + 1) * by_gates)
        )
        value, mean = (
            open2 * height + 2 * mixed * mean * middle + keep2 * value,
            (1 - keep) * middle + keep * mean,
        )
        yield Block(log(value), math.nan, pull)


def _moments_of_gate(variance: float) -> tuple[float, ...]:
    """Averages of k, k², k(1 - k), (1 - k)² and k′²."""
    nodes, weights = _normal(4 * NODES)
    gate = expit(math.sqrt(variance) * nodes)
    integrands = gate, gate**2, gate * (1 - gate), (1 - gate) ** 2, (gate * (1 - gate)) ** 2
    return tuple(float(weights @ each) for each in integrands)


def _candidate(phi: Nonlinearity, square: float, value: float) -> tuple[float, ...]:
    """E φ(a), E φ(a)², E φ′(a)², E φ′(a)² r² and E φ′(a)² w² r′²."""
    nodes, weights = _normal(NODES)
    gate, own, new = np.meshgrid(nodes, nodes, nodes, indexing="ij")
    reset, w = expit(math.sqrt(square * (value + 1)) * gate), math.sqrt(square * value) * own
    a = reset * w + math.sqrt(square) * new
    out, slope = phi.function(a), phi.slope(a) ** 2
    integrands = out, out**2, slope, slope * reset**2, slope * (w * reset * (1 - reset)) ** 2
    return tuple(float(np.einsum("i,j,k,ijk", weights, weights, weights, each)) for each in integrands)


def _normal(count: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


def _lstm(setting: Setting) -> Iterator[Block]:
    generator, phi, square = np.random.default_rng(0), setting.phi, setting.std**2
    bias, normal = float(setting.given.get("forget_bias", "1")), ndtri((np.arange(UNITS) + 0.5) / UNITS)
    value, cell = setting.input_norm**2, np.zeros(UNITS)
    for _ in steps(setting):
        std = math.sqrt(square * (value + 1))
        drawn = (std * generator.permutation(normal) for _ in range(4))
        i, f, o, z = (next(drawn), next(drawn) + bias, next(drawn), next(drawn))
        gates, slopes = (expit(i), expit(f), expit(o)), (expit(i) * expit(-i), expit(f) * expit(-f), expit(o) * expit(-o))
        inner, before = phi.function(z), cell
        cell = gates[1] * before + gates[0] * inner
        outer = phi.function(cell)
        through = (before * slopes[1]) ** 2 + (inner * slopes[0]) ** 2 + (gates[0] * phi.slope(z)) ** 2
        pull = _lstm_pull((gates[2] * phi.slope(cell)) ** 2, gates[1] ** 2, through, (outer * slopes[2]) ** 2, square, value)
        value = float(np.mean((gates[2] * outer) ** 2))
        yield Block(log(value), math.nan, pull)


def _lstm_pull(
    out: np.ndarray, forget: np.ndarray, through: np.ndarray, opened: np.ndarray, square: float, value: float
) -> Pull:
    """Cotangents: ln G, and ln of f² S of the step after, of every unit."""
    with np.errstate(divide="ignore"):
        out, forget, through, opened = np.log([out, forget, through, opened])

    def pull(cotangents: Cotangents) -> tuple[Cotangents, float]:
        of_cell = np.logaddexp(cotangents[1:], cotangents[0] + out)
        gates = np.logaddexp(of_cell + through, cotangents[0] + opened)
        gathered = float(np.logaddexp.reduce(gates)) - math.log(UNITS)
        return np.append(math.log(square) + gathered, of_cell + forget), gathered + math.log(value + 1)

    return pull


def _fits(setting: Setting) -> bool:
    return setting.std < LARGEST_STD


LAWS = {
    "gru": Law(_gru, knows=_fits),
    "lstm": Law(
        _lstm,
        ("forget_bias",),
        knows=_fits,
        start=lambda _: np.append(0.0, np.full(UNITS, -np.inf)),
        norm=lambda cotangents: float(cotangents[0]),
    ),
}
