"""The passes over plain networks: what fails is raised, and calls are shared out evenly."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.engine.measure import _shared_out, measure
from bench.networks.activations import ACTIVATIONS
from bench.networks.batches import networks_of
from bench.networks.losses import LOSSES
from bench.networks.seeds import seed_mesh


def test_parts_have_every_block_once_and_about_as_many_segments_each():
    blocks: list[Any] = [SimpleNamespace(segments=count) for count in (54, 20, 16, 9, 5, 3, 2, 1, 1)]
    shares = _shared_out(blocks, 3)
    assert sorted(block.segments for share in shares for block in share) == sorted(block.segments for block in blocks)
    assert max(sum(block.segments for block in share) for share in shares) == 54  # no less: one block is a walk
    assert len(_shared_out(blocks[:2], 8)) == 2


@pytest.mark.parametrize("failing", [0, 2])
def test_a_segment_that_cannot_be_drawn_is_raised(failing):
    drawn = networks_of("gaussian", key=0, width=4, seeds=[0], dtype="float32", mesh=seed_mesh(1), keep=True)

    def segments(index: int) -> Any:
        if index == failing:
            raise RuntimeError(f"segment {index}")
        return drawn.segments("tanh")(index)

    lanes = {"scales": np.ones(1), "bias_stds": np.zeros(1), "depths": [2, 60], "mesh": seed_mesh(1)}
    with pytest.raises(RuntimeError, match=f"segment {failing}"):
        list(measure(segments, *drawn[:2], activation=ACTIVATIONS["tanh"], loss=LOSSES["output"], kept=True, **lanes))
