"""Columns as Arrow's: numbers, truth and words as they are, without pandas."""

import subprocess
import sys

import numpy as np
import pyarrow as pa

from bench.runs.tables import as_table


def test_columns_keep_their_types_and_values():
    which = np.array([1, 0, 1, 2])
    columns = {
        "learned": np.array([True, False, True, True]),
        "depth": np.array([2, 3, 4, 5]),
        "log10_grad": np.array([-1.5, np.nan, np.inf, 0.0]),
        "path": ["layers[0]", "größer", "layers[0]", ""],
        "seen": np.arange(8, dtype=np.float32)[::2],
        "activation": (("tanh", "relu", "größer"), which),
    }
    table = as_table(columns)
    assert table.schema.types == [pa.bool_(), pa.int64(), pa.float64(), pa.string(), pa.float32(), pa.string()]
    assert table["activation"].to_pylist() == [columns["activation"][0][word] for word in which]
    assert table["path"].to_pylist() == columns["path"]
    for name in ("learned", "depth", "log10_grad", "seen"):
        np.testing.assert_array_equal(table[name].to_numpy(), columns[name])
        assert table[name].null_count == 0
    assert as_table({"depth": np.zeros(0, int), "activation": (("tanh",), np.zeros(0, int))}).num_rows == 0
    assert as_table(table) is table


def test_rows_are_written_without_pandas():
    """Whose import takes longer than a small sweep's rows."""
    code = """
import sys, numpy
from bench.runs.tables import as_table
as_table({"log10_grad": numpy.ones(2), "activation": (("tanh",), [0, 0])})
sys.exit("pandas" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
