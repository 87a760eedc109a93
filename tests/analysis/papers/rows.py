"""Rows for examples: every combination of some columns, with values that are functions of them."""

import numpy as np
import pandas as pd

SEEDS = 12


def table(values=None, *, seeds=SEEDS, noise=0.001, **columns):
    """Rows of all combinations; ``values`` are functions of the frame, each blurred a little from seed to seed."""
    index = pd.MultiIndex.from_product([*columns.values(), range(seeds)], names=[*columns, "seed"])
    frame = index.to_frame(index=False)
    for name, value in (values or {}).items():
        blur = 1 + noise * np.sin(1 + 7.0 * frame["seed"] + 0.1 * np.arange(len(frame)))
        frame[name] = value(frame) * blur
    return frame


def learned(steps, *, noise=0.001, **columns):
    """Rows of a training: ``steps`` to the target as a function of the frame, inf where it never is reached."""
    frame = table({"steps_to_target": steps}, noise=noise, **({"learning_rate": [0.1]} | columns))
    constants = {"architecture": "plain", "activation": "linear", "width": 16, "bias_std": 0.0, "optimizer": "sgd"}
    constants = {name: value for name, value in constants.items() if name not in frame}
    return frame.assign(**constants, final_train_loss=0.1, readout_learning_rate=frame["learning_rate"])
