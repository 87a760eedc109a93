"""Initializers as theory sees them: the law of a matrix, not how it is drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import truncnorm

from bench.theory.criticality import critical


class Ensemble(NamedTuple):
    """A law of weight matrices at scale 1.

    ``kind``: "iid" (independent symmetric entries), "orthogonal" (Haar) or "identity".
    ``weight_std``: σ = √(n · variance of an entry). ``bias_std``: σ_b.
    ``excess``: E w⁴ / (E w²)² - 3 of an entry, 0 for a Gaussian.
    """

    kind: str
    weight_std: float
    bias_std: float
    excess: float = 0.0

    @property
    def is_gaussian(self) -> bool:
        """Whether entries are exactly normal."""
        return self.kind == "iid" and self.excess == 0


_UNIFORM = -1.2
_TRUNCATED_STD = float(truncnorm(-2, 2).std())
_TRUNCATED = float(truncnorm(-2, 2).stats(moments="k"))

# name: (kind, σ at scale 1, excess)
_FIXED = {
    "identity": ("identity", 1.0, 0.0),
    "gaussian": ("iid", 1.0, 0.0),
    "he_gaussian": ("iid", np.sqrt(2), 0.0),
    "lecun_normal": ("iid", 1.0, _TRUNCATED),
    "jax_lecun": ("iid", 1.0, _TRUNCATED),
    "flax_default": ("iid", 1.0, _TRUNCATED),
    "glorot_normal": ("iid", 1.0, _TRUNCATED),  # fan_in = fan_out
    "he_normal": ("iid", np.sqrt(2), _TRUNCATED),
    "truncated": ("iid", _TRUNCATED_STD, _TRUNCATED),
    "lecun_uniform": ("iid", 1.0, _UNIFORM),
    "glorot_uniform": ("iid", 1.0, _UNIFORM),
    "keras_glorot": ("iid", 1.0, _UNIFORM),
    "he_uniform": ("iid", np.sqrt(2), _UNIFORM),
    "standard_uniform": ("iid", 1 / np.sqrt(3), _UNIFORM),
    "torch_linear": ("iid", 1 / np.sqrt(3), _UNIFORM),
    "orthogonal": ("orthogonal", 1.0, 0.0),
}


def ensemble(initializer: str, activation: str, width: int, bias_std: float) -> Ensemble | None:
    """The ensemble of a cell at scale 1; None where theory has no law.

    ``bias_std`` is the one that the cell was drawn with. Critical schemes take their weights from the activation: at the
    default critical point where its bias is the cell's, else at the point of the edge of chaos with the cell's bias.
    """
    del width
    if initializer in _FIXED:
        kind, weight_std, excess = _FIXED[initializer]
        return Ensemble(kind, float(weight_std), bias_std, excess)
    kinds = {"critical": "iid", "critical_orthogonal": "orthogonal"}
    if initializer not in kinds:
        return None
    point = critical(activation)
    if not np.isclose(point.bias_std, bias_std, rtol=1e-6):
        point = critical(activation, bias_std)
    return Ensemble(kinds[initializer], point.weight_std, bias_std) if np.isfinite(point.weight_std) else None
