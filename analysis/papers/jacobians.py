"""Singular values of whole Jacobians of random networks, which no row of a sweep holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from bench.theory.nonlinearities import nonlinearity


def singular_values(
    activation: str,
    initializer: str,
    width: int,
    layers: Sequence[int],
    *,
    std: float,
    input_norm: float = 1.0,
    seeds: int = 4,
    key: int = 0,
    length: float | None = None,
) -> pd.DataFrame:
    """One row for each singular value of ∂h_l/∂h_0 = D_l W_l … D_1 W_1 at those layers l: ``layers``, ``seed``, ``value``.

    initializer: "gaussian" or "orthogonal", times ``std``. length: the variance of pre-activations, which are then drawn
    anew in every layer, as mean field has them at a fixed point. Values more than 15 decades below the
    largest are rounding.
    """
    phi, random, rows = nonlinearity(activation), np.random.default_rng(key), []
    with threadpool_limits(1):  # matrices so small are slower with more
        for seed in range(seeds):
            h = random.standard_normal(width)
            h *= input_norm * math.sqrt(width) / np.linalg.norm(h)
            product = np.eye(width)
            for layer in range(1, max(layers) + 1):
                weights = std * _drawn(initializer, width, random)
                z = weights @ h if length is None else math.sqrt(length) * random.standard_normal(width)
                product = phi.slope(z)[:, None] * (weights @ product)
                h = phi.function(z)
                if layer in layers:
                    rows += [(layer, seed, value) for value in np.linalg.svd(product, compute_uv=False).tolist()]
    return pd.DataFrame(rows, columns=["layers", "seed", "value"])


def _drawn(initializer: str, width: int, random: np.random.Generator) -> np.ndarray:
    weights = random.standard_normal((width, width)) / math.sqrt(width)
    if initializer == "gaussian":
        return weights
    q, r = np.linalg.qr(weights)
    return q * np.sign(np.diag(r))
