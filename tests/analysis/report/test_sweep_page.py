import numpy as np
import pytest

from analysis.cli.main import main
from analysis.numbers.agreement import VERDICTS, agreement
from analysis.numbers.statistics import seed_statistic
from tests.analysis.conftest import make_cells, write_run
from tests.analysis.report.conftest import Page


def page_of(folder, *options):
    target = folder.parent / "page.html"
    assert main(["report", str(folder), "--out", str(target), *options]) == 0
    return Page(target.read_text())


def decades(rows):
    """Decays with depth; a corner is exactly zero, another is undefined."""
    size = (rows["depth"] - 2) * np.log10(rows["scale"]) + 0.1 * rows["seed"] ** 2
    size = size.where(~((rows["scale"] == 0.5) & (rows["depth"] == 852)), -np.inf)
    return size.where(~((rows["scale"] == 2.0) & (rows["depth"] == 852)), np.nan)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Two initializers, two activations."""
    axes = {"initializers": ("gaussian", "orthogonal"), "activations": ("linear", "relu")}
    cells = make_cells(seeds=7, **axes, log10_norm=decades)
    made = {"git": {"commit": "c0ffee", "dirty": True}, "versions": {"jax": "0.10"}, "total_seconds": 12.5}
    folder = write_run(tmp_path_factory.mktemp("runs") / "swept", cells, **made)
    return cells, page_of(folder)


def test_the_page_holds_the_medians_of_the_rows_and_their_intervals(swept):
    cells, page = swept
    found = page.data["runs"][0]["map"]
    keys = [*(menu["column"] for menu in found["menus"]), "scale", "depth"]
    assert keys[:2] == ["initializer", "activation"]
    value = found["values"]["log10_grad_first"]
    arrays = {name: page.array(value[name], found) for name in ("median", "low", "high")}
    # of 7 seeds the smallest and the largest: the second ones hold the median in 87.5 % of samples
    for name, stat in {"median": "median", "low": "min", "high": "max"}.items():
        expected = seed_statistic(cells, "log10_grad_first", stat, by=keys)
        for (initializer, activation, scale, depth), number in expected.items():
            place = [found["menus"][0]["values"].index(initializer), found["menus"][1]["values"].index(activation)]
            facet = found["facets"].index(place)
            row, column = found["y"]["values"].index(scale), found["x"]["values"].index(depth)
            np.testing.assert_allclose(arrays[name][facet, row, column], number, rtol=1e-6)


def test_exact_zeros_and_what_is_undefined_stay_what_they_are(swept):
    _, page = swept
    found = page.data["runs"][0]["map"]
    median = page.array(found["values"]["log10_grad_first"]["median"], found)
    assert np.isneginf(median).sum() == 4
    assert np.isnan(median).sum() == 4
    assert "exactly zero in 4 settings" in page.text
    assert "undefined in 28 networks" in page.text


def test_theory_and_verdicts_are_those_of_the_residual_figure(swept):
    cells, page = swept
    found = page.data["runs"][0]["map"]
    agreed = agreement(cells)
    z = np.sort(page.array(found["theory"]["z"], found).ravel())
    np.testing.assert_allclose(z, np.sort(agreed["z"].to_numpy()), rtol=1e-6)
    verdicts = page.array(found["theory"]["verdict"], found)
    for verdict, count in agreed["verdict"].value_counts().items():
        assert (verdicts == VERDICTS.index(verdict)).sum() == count
    tested = agreed["verdict"].isin(["pass", "fail"]).sum()
    assert f"of {tested} settings" in page.text


def test_it_says_what_was_run_and_what_came_out(swept):
    cells, page = swept
    assert f"{len(cells):,} networks (7 seeds of each of" in page.text
    for words in ("c0ffee and changes that were not committed", "jax 0.10", "12.5 s", "depthscale sweep --run swept"):
        assert words in page.text


def test_menus_are_what_varies(swept):
    _, page = swept
    assert len(page.find("select", **{"data-role": "menu"})) == 2
    assert len(page.find("input", type="range")) == 2


def test_nothing_is_asked_of_a_network(swept):
    _, page = swept
    assert page.links == []
    (policy,) = page.find("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'")


HOSTILE = ("</script><script>alert(1)</script>", "\"'><img src=x onerror=alert(2)>", "$$x$$ &amp; <!--")


def test_hostile_names_are_text(tmp_path):
    cells = make_cells(depths=(2, 5), seeds=2, initializers=HOSTILE)
    manifest = {
        "versions": {HOSTILE[0]: HOSTILE[1]},
        "git": {"commit": HOSTILE[0]},
        "sweep": {"loss": "output", "initializers": HOSTILE},
    }
    run = write_run(tmp_path / "<script>alert(0)<", cells, **manifest)
    cells_of_plain = make_cells(depths=(2, 5), seeds=2, initializers=("a", "b", "c"))
    harmless = {"versions": {"a": "b"}, "git": {"commit": "c"}, "sweep": {"loss": "output", "initializers": "abc"}}
    plain = page_of(write_run(tmp_path / "plain", cells_of_plain, **harmless))
    page = page_of(run)
    assert len(page.scripts) == len(plain.scripts) == 3
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert page.find("img") == []
    for name in (*HOSTILE, "<script>alert(0)<"):
        assert name in page.text or " ".join(name.split()) in page.text
    assert page.data["runs"][0]["map"]["menus"][0]["values"] == sorted(HOSTILE)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["report"], ["RUN_DIR"]),
        (["report", "TMP/none"], ["RUN_DIR", "none", "not a run"]),
        (["report", "RUN", "TMP/none"], ["RUN_DIR", "none", "not a run"]),
        (["report", "RUN", "--out", "TMP/x.pdf"], ["--out", "x.pdf", ".html"]),
        (["report", "RUN", "--out", "TMP/none/x.html"], ["--out", "a folder that exists"]),
        (["report", "RUN", "--out="], ["--out", "expected a value"]),
        (["reprot", "RUN"], ["FIGURE", "'reprot'", "did you mean report?"]),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, parts, run_dir, tmp_path, capsys):
    argv = [argument.replace("RUN", str(run_dir)).replace("TMP", str(tmp_path)) for argument in arguments]
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    for part in parts:
        assert part in captured.err
    assert list(tmp_path.rglob("*.html")) == []
