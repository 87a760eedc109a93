"""Initializers as theory sees them: the law of a matrix, not how it is drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import erf

from bench.theory.criticality import critical


class Ensemble(NamedTuple):
    """A law of weight matrices at scale 1.

    ``kind``: "iid" (independent symmetric entries), "orthogonal" (Haar) or "identity".
    ``weight_std``: σ = √(n · variance of an entry).
    ``excess``: E w⁴ / (E w²)² - 3 of an entry, 0 for a Gaussian.
    """

    kind: str
    weight_std: float
    excess: float = 0.0

    @property
    def is_gaussian(self) -> bool:
        """Whether entries are exactly normal."""
        return self.kind == "iid" and self.excess == 0


_UNIFORM = -1.2
# A standard normal cut at ±2: E z² = 1 - 4p and E z⁴ = 3 - 28p, with p its density at 2 over the probability of |z| < 2.
_CUT = float(np.exp(-2) / np.sqrt(2 * np.pi) / erf(np.sqrt(2)))
_TRUNCATED_STD = (1 - 4 * _CUT) ** 0.5
_TRUNCATED = (3 - 28 * _CUT) / (1 - 4 * _CUT) ** 2 - 3

_FIXED = {
    "identity": Ensemble("identity", 1.0),
    "gaussian": Ensemble("iid", 1.0),
    "he_gaussian": Ensemble("iid", 2**0.5),
    "lecun_normal": Ensemble("iid", 1.0, _TRUNCATED),
    "jax_lecun": Ensemble("iid", 1.0, _TRUNCATED),
    "flax_default": Ensemble("iid", 1.0, _TRUNCATED),
    "glorot_normal": Ensemble("iid", 1.0, _TRUNCATED),  # fan_in = fan_out
    "he_normal": Ensemble("iid", 2**0.5, _TRUNCATED),
    "truncated": Ensemble("iid", _TRUNCATED_STD, _TRUNCATED),
    "lecun_uniform": Ensemble("iid", 1.0, _UNIFORM),
    "glorot_uniform": Ensemble("iid", 1.0, _UNIFORM),
    "keras_glorot": Ensemble("iid", 1.0, _UNIFORM),
    "he_uniform": Ensemble("iid", 2**0.5, _UNIFORM),
    "standard_uniform": Ensemble("iid", 3**-0.5, _UNIFORM),
    "torch_linear": Ensemble("iid", 3**-0.5, _UNIFORM),
    "orthogonal": Ensemble("orthogonal", 1.0),
    "delta_orthogonal": Ensemble("orthogonal", 1.0),  # of a convolution the middle of a kernel, beside which it is 0
}


_CRITICAL = {"critical": "iid", "critical_orthogonal": "orthogonal"}


def known_schemes() -> tuple[str, ...]:
    """The initializers whose weights have a law here."""
    return (*_FIXED, *_CRITICAL)


def _centred(initializer: str) -> str:
    """``gaussian`` for ``gaussian:mean=0``; any other as it is."""
    name, _, mean = initializer.partition(":mean=")
    try:
        return name if name == "gaussian" and float(mean) == 0 else initializer
    except ValueError:
        return initializer


def ensemble(initializer: str, activation: str, bias_std: float) -> Ensemble | None:
    """The ensemble of a cell at scale 1; None where theory has no law.

    ``bias_std`` is the one that the cell was drawn with. Critical schemes take their weights from the activation: at the
    default critical point where its bias is the cell's, else at the point of the edge of chaos with the cell's bias.
    """
    initializer = _centred(initializer)
    if initializer in _FIXED:
        return _FIXED[initializer]
    if initializer not in _CRITICAL:
        return None
    point = critical(activation)
    if not np.isclose(point.bias_std, bias_std, rtol=1e-6):
        point = critical(activation, bias_std)
    return Ensemble(_CRITICAL[initializer], point.weight_std) if np.isfinite(point.weight_std) else None
