"""How a deep linear network learns from aligned and balanced weights: every mode by itself (Saxe et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.theory.arguments import checked


@checked
def learned_modes(values: Sequence[float], *, start: float, matrices: int, times: np.ndarray) -> np.ndarray:
    """[times, modes]: u of every mode, the singular value that the network has there, under gradient flow.

    ::

        τ u' = N u^(2 - 2/N) (s - u),   u(0) = start;   N = 2:  u = s e^(2st/τ) / (e^(2st/τ) - 1 + s/start)

    s: the singular values of the task, ≥ 0; N: ``matrices`` ≥ 2, each of which begins as start^(1/N) times an isometry along
    the modes; times: t/τ ≥ 0, ascending, which is learning rate · steps for the loss ½ ‖y - target‖² averaged over whitened
    examples. For N > 2 solved numerically, to 1e-8. Source: Saxe, McClelland & Ganguli 2014, arXiv 1312.6120, eqs. 5 to 8.
    """
    wanted, singular = np.asarray(times, float), np.asarray(values, float)
    if start == 0:
        return np.zeros((len(wanted), len(singular)))
    if matrices == 2:
        forgotten = np.exp(-2 * singular * wanted[:, None])
        some = np.where(singular > 0, singular, 1.0)
        exact = some / (1 + (some / start - 1) * forgotten)
        return np.where(singular > 0, exact, start / (1 + 2 * start * wanted[:, None]))
    from scipy.integrate import solve_ivp  # here: no import of theory should wait for it

    # in a = u^(1/N), which does not vanish as fast
    solution = solve_ivp(
        lambda _, a: a ** (matrices - 1) * (singular - a**matrices),
        (0.0, max(float(wanted[-1]), 1e-300)),
        np.full(len(singular), start ** (1 / matrices)),
        method="LSODA",
        t_eval=wanted,
        rtol=1e-10,
        atol=1e-13,
    )
    return solution.y.T**matrices


@checked
def aligned_loss(values: Sequence[float], *, start: float, matrices: int, times: np.ndarray) -> np.ndarray:
    """[times]: ½ Σ (s - u)² over modes, the loss of such a network; arguments are those of :func:`learned_modes`."""
    return ((np.asarray(values, float) - learned_modes(values, start=start, matrices=matrices, times=times)) ** 2).sum(1) / 2
