"""Laws across seeds of linear post_layernorm networks with RMSNorm and Gaussian weights, h_l = z / rms(z), z = h + W h.

As in :mod:`bench.theory.normed_laws`, δ_l lies beside h_l and points anywhere there. δ_{l-1} = P δ_l + W'ᵀ δ_l, with P
beside h_{l-1} and W' the part of W that does not act on it. With ‖z‖² / ‖h‖² = (σ²/n) χ²_{n+2K}, K ~ Poisson(n / 2σ²), and
given K ‖P δ‖² / ‖δ‖² = b ~ Beta((n-1)/2 + K, ½) and J ~ Poisson(n b / 2σ²)

    ‖δ_{l-1}‖² / ‖δ_l‖² = X = χ²_{n-1+2J} / χ²_{n+2K}        ‖∂y/∂W_1‖² = n² / (σ² χ²_{n+2K}) · ‖δ_1‖²

and the readout's normalization leaves 1 - (u·h_{L-1})², Beta((n-1)/2, ½), of ‖u‖². This is exact.

**A slope**: depth 2 shares χ²_{n+2K} of block 1, and its 1 - (u·h_1)² knows the readout's angle at depth L and, less, the X.
h_l is a random walk on the sphere, u anywhere. So ln(1 - (u·h)²) is expanded in the harmonics of the sphere of degree 2j,
Jacobi polynomials of (u·h)², each of which a block multiplies by Λ_j:

    Cov(ln(1 - (u·h_1)²), ln(1 - (u·h_{L-1})²)) = Σ_j f_j² Λ_j^(L-2)        Λ_j = E K! / (K-j)! / (n/2 + K)_j

    f_j² = ((j-1)! (½)_j / (n/2)_j)² / (j! (n/2 + j - 1)_j · (½)_j ((n-1)/2)_j / (n/2)_2j)

With X only degree 2 is counted, which leaves out O(1/n) of this small part, and makes the law of a slope one to leading
order: against networks drawn in NumPy its standard deviation is within 1 % at widths 8 and 32, scales 0.01 to 10 and
depths 3, 6 and 20. Let c = u·δ_l/‖δ_l‖, E c² - 1/n = 1 - 2/n at l = L-1. With x² = 1 - b of a block, p and q what it makes
of c² - 1/n in the square of u·h_{l-1} and of u times the direction of P δ, and κ the cos² of P δ and δ_{l-1},

    Cov(ln(1 - (u·h_1)²), Σ_l ln X_l) = -(n+2)/(n-1) (1 - 2/n) Cov(p, ln X) Σ_{i+j=L-3} Λ_1^i m^j
    m = E[κ q - (1-κ) (p+q) / (n-2)]        p = x² - b/(n-1+2K)        q = b - x²/(n-1+2K)        κ = E (1+2J)/(n-1+2J)
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.special import digamma, gammaln, polygamma

from bench.theory.ends import Case, Ends
from bench.theory.normed_laws import softened
from bench.theory.steps import Moments, gaussian_step, poisson

LEAST_STD = 1e-3  # of σ: below, its factors cancel
NODES, DEGREE, REACH = 201, 8, 7.0  # of the average over b, and how many of its standard deviations
RARE = 1e-9  # a K as low as this seldom does not say how far
HARMONICS = 200


class Step(NamedTuple):
    """Of a block."""

    factor: Moments  # of ln X
    kept: np.ndarray  # Λ_j, from 1 on
    turned: float  # m
    along: float  # Cov(p, ln X)


def post_layernorm(case: Case) -> Ends | None:
    """N(h + W h)."""
    setting = case.setting
    alone = setting.phi.is_linear and setting.given.get("norm", "layer") == "rms" and not case.biased
    if not alone or case.kind != "iid" or setting.width < 3 or setting.std < LEAST_STD:
        return None
    log_sum = float(np.logaddexp(0, 2 * math.log(setting.std)))
    less = softened(log_sum, log_sum + 2 * math.log(setting.input_norm), case)
    if less is None:
        return None
    n, log_variance = setting.width, 2 * math.log(setting.std) - math.log(setting.width)
    length, step = gaussian_step(n, log_variance), _step(n, log_variance)  # ‖z‖² / ‖h‖²
    left = Moments(float(digamma((n - 1) / 2) - digamma(n / 2)), float(polygamma(1, (n - 1) / 2) - polygamma(1, n / 2)))
    short = left.plus(math.log(n) - length.mean, length.variance)
    shared = length.variance + _shared(n, setting.depth - 2, step, left.variance)
    return Ends(step.factor.times(setting.depth - 2).plus(*short).plus(less[0]), short.plus(less[1]), shared, exact=False)


def _shared(n: int, count: int, step: Step, whole: float) -> float:
    """Covariance of what depth 2's readout leaves and of all at depth L but block 1; whole: Σ f_j²."""
    j = np.arange(1, HARMONICS + 1)
    half, side, middle = (gammaln(each + j) - gammaln(each) for each in (0.5, (n - 1) / 2, n / 2))
    size = gammaln(j + 1) + gammaln(n / 2 + 2 * j - 1) - gammaln(n / 2 + j - 1)
    norm = size + half + side - (gammaln(n / 2 + 2 * j) - gammaln(n / 2))
    square = np.exp(2 * (gammaln(j) + half - middle) - norm)
    square[-1] = max(whole - square[:-1].sum(), 0.0)  # and all that follow
    angles = float(square @ step.kept**count)
    powers = step.kept[0] ** np.arange(count) @ step.turned ** np.arange(count)[::-1]
    return angles - (n + 2) / (n - 1) * (1 - 2 / n) * step.along * float(powers)


@lru_cache(maxsize=1024)
def _step(n: int, log_variance: float) -> Step:
    """log_variance: ln σ²/n."""
    k, weight = poisson(math.exp(-log_variance) / 2)
    # Of x = √(1 - b), whose density is (1 - x²)^((n-3)/2 + K)
    least = k[np.searchsorted(np.cumsum(weight), RARE)]
    x = np.linspace(0, min(1.0, REACH / math.sqrt(n + 2 * least)), NODES)[:-1]
    logs = np.log1p(-(x**2)) * ((n - 3) / 2 + k[:, None])
    density = np.exp(logs)
    density[:, 0] /= 2  # an even function, from its middle on
    density /= density.sum(axis=1, keepdims=True)
    b = 1 - x**2

    def given(part: np.ndarray) -> np.ndarray:
        """Mean and variance of ln χ²_{n-1+2J}, and κ, for those b."""
        found = [gaussian_step(n - 1, log_variance - math.log(each)).plus(math.log(each)) for each in part]
        several = [poisson(each * math.exp(-log_variance) / 2) for each in part]
        kept = [chance @ ((1 + 2 * j) / (n - 1 + 2 * j)) for j, chance in several]
        return np.column_stack([np.array(found, dtype=float), kept]).T

    nodes = Chebyshev.basis(DEGREE + 1, domain=[b[-1], 1]).roots()
    above, variance_above, kept = (Chebyshev.fit(nodes, values, DEGREE, domain=[b[-1], 1])(b) for values in given(nodes))
    mean_up, variance_up = density @ above, density @ variance_above
    between = density @ above**2 - mean_up**2
    down = digamma(n / 2 + k) + math.log(2) + log_variance
    means = mean_up - down
    mean = float(weight @ means)
    variances = variance_up + between + polygamma(1, n / 2 + k)
    factor = Moments(mean, float(weight @ (variances + (means - mean) ** 2)))
    beside = (n - 1 + 2 * k)[:, None]
    p, q = x**2 - b / beside, b - x**2 / beside
    chance = weight[:, None] * density
    along = float((chance * p * (above - down[:, None] - mean)).sum())
    turned = float((chance * (kept * q - (1 - kept) * (p + q) / (n - 2))).sum())
    j = np.arange(HARMONICS)[:, None]
    return Step(factor, np.cumprod(np.maximum(k - j, 0) / (n / 2 + k + j), axis=0) @ weight, turned, along)
