"""The one tolerance policy of the tests, and the helpers that apply it.

* EXACT[dtype]: absolute error of a log10 norm against a closed form or a float64 reference on the same weights, per layer
  of depth, in networks that do not amplify rounding (linear, ordered or critical).
* RELATIVE[initializer]: relative error of a log10 norm against the closed form scale^(L-2) √n.
* STANDARD_ERRORS: how far a mean or variance over seeds may be from its exact law; keys are fixed, so a test either holds
  for ever or fails for ever.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

import bench

EXACT = {"float32": 1e-6, "float64": 1e-12}
RELATIVE = {"identity": 1e-5, "orthogonal": 1e-4}
STANDARD_ERRORS = 4.0
FLOAT64_GRAD = 1e-9


def run_frame(folder: Path, name: str = "run", kind: str = "cells", **fields) -> pd.DataFrame:
    """The rows of a sweep run in ``folder``."""
    return pd.read_parquet(bench.run(bench.Sweep(**fields), results=folder, name=name, progress=False) / kind)


def assert_follows(values: np.ndarray, mean: float, variance: float) -> None:
    """Sample mean and variance within STANDARD_ERRORS of the law; the variance's error from the sample's fourth moment."""
    count = len(values)
    deviations = values - values.mean()
    sample = deviations.var(ddof=1)
    error_of_variance = np.sqrt(max((deviations**4).mean() - sample**2, 0) / count)
    assert abs(values.mean() - mean) <= STANDARD_ERRORS * np.sqrt(variance / count) + 1e-6
    assert abs(sample - variance) <= STANDARD_ERRORS * error_of_variance + 1e-9


def own_programs(folder: Path) -> str:
    """A copy of the test run's compiled programs, for processes that may be killed while they write one."""
    copied = folder / "programs"
    shutil.copytree(os.environ["JAX_COMPILATION_CACHE_DIR"], copied, dirs_exist_ok=True)
    return str(copied)
