"""One finished run, measured once and copied for every test that hurts it."""

import shutil

import pytest

import bench

FIELDS = {"activations": ("tanh", "relu"), "depths": (2, 9), "scales": (0.5, 1.5), "widths": (4,), "seeds": 3}


@pytest.fixture(scope="session")
def sweep():
    return bench.Sweep(**FIELDS)


@pytest.fixture(scope="session")
def finished(sweep, tmp_path_factory):
    return bench.run(sweep, results=tmp_path_factory.mktemp("finished"), name="mine", progress=False)


@pytest.fixture
def mine(finished, tmp_path):
    """A copy of the finished run, in ``tmp_path``."""
    return shutil.copytree(finished, tmp_path / "mine")
