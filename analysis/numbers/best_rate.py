"""Every network at the learning rate that suits it best, so that initializations are compared and not learning rates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.numbers.statistics import seed_statistic

NETWORK = ("architecture", "initializer", "activation", "width", "bias_std", "optimizer", "depth", "scale")
RATES = ("learning_rate", "readout_learning_rate")


def network(frame: pd.DataFrame) -> list[str]:
    """The columns of :data:`NETWORK` that the frame has: older runs have no architecture."""
    return [name for name in NETWORK if name in frame]


def best_rate(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of each network's best learning rate: all of its seeds, in the order and with the index of ``frame``.

    frame: rows of ``load_trained``. A network is everything of a cell but its seed and rates. Best is the pair of rates
    (hidden layers, readout) with the smallest median of ``steps_to_target`` over seeds; of equal ones, also where none ever
    reaches the target (inf), that with the smallest median of ``final_train_loss``, then that with the smaller rates. NaN
    comes last: a scheme that is undefined, and as a loss also a rate at which any seed diverged.

    The same seeds choose the rate and are then shown, so the minimum is optimistic: of N rates that are equally good, the
    luckiest is kept. Raises KeyError for a frame without these columns.
    """
    own = network(frame)
    by = [*own, *RATES]
    medians = pd.DataFrame({value: seed_statistic(frame, value, by=by) for value in ("steps_to_target", "final_train_loss")})
    # One row for each group, numbered as groupby numbers them: sorted by ``by``.
    ranked = medians.reset_index().sort_values([*own, *medians.columns, *RATES], na_position="last")
    best = ranked.index[~ranked.duplicated(own)]
    return frame.loc[np.isin(frame.groupby(by, sort=True, observed=True).ngroup().to_numpy(), best)]


def at_the_largest(frame: pd.DataFrame, best: pd.DataFrame) -> np.ndarray:
    """[len(best)]: whether a row's rate is the largest of several that its network was trained at.

    There a still larger rate might be faster: ``steps_to_target`` is an upper bound of what the best rate would need.
    frame: all rows; best: those that :func:`best_rate` kept of it.
    """
    own = network(frame)
    rates = frame.groupby(own, observed=True)["learning_rate"].agg(["min", "max"])
    limits = best[[*own, "learning_rate"]].join(rates, on=own)
    return ((limits["learning_rate"] == limits["max"]) & (limits["max"] > limits["min"])).to_numpy()
