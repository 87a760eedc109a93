"""docs/python.md says what happens."""

import re
from pathlib import Path

import matplotlib as mpl
import pytest

PAGE = Path(__file__).parents[2] / "docs/python.md"


@pytest.fixture
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context({"backend": "agg"}):
        yield


@pytest.mark.thorough
@pytest.mark.usefixtures("_elsewhere")
def test_the_blocks_of_the_page_run_in_order():
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    assert names["own"].activations[:2] == ("jax.nn:gelu", "relu")
    assert re.fullmatch(r"normal.init-[0-9a-f]{8}", names["own"].initializers[1])
    assert len(names["figure"].axes[1].get_lines()) >= 2
    assert len(names["table"]) == 6
    assert sorted(path.name for path in Path().iterdir()) == ["heatmap.png", "results"]
