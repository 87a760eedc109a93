"""Two small runs that all tests of a session look at."""

import pytest

import bench

SWEEP = {"activations": ["tanh", "relu"], "depths": [2, 5], "scales": [0.5, 1, 1.5], "widths": 4, "seeds": 2}
TRAINING = {"task": "teacher:inputs=4,examples=20", "depths": [2, 3], "widths": 4, "steps": 3, "target": "accuracy=0.5"}


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A sweep with layers and a training with curves, read only."""
    results = tmp_path_factory.mktemp("runs")
    sweep = bench.run(bench.Sweep(**SWEEP), results=results, progress=False)
    training = bench.train(bench.Training(**TRAINING), results=results, progress=False)
    return {"sweep": sweep, "training": training}
