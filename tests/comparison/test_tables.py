"""Tables of comparisons: what their columns say, and what LaTeX and Markdown make of it."""

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from bench.comparison.columns import BRIEF, COLUMNS, brief, check_columns
from bench.comparison.notes import in_order, legend
from bench.comparison.ranking import RANK_BY
from bench.comparison.tables import PREAMBLE, as_text, write_table
from bench.settings.errors import SweepError

INF, NAN = np.inf, np.nan
STYLES = ("github", "latex", "simple")
TEXT_WIDTH = 397  # points, of a single-column conference page
DIGIT, SPACE = 3.72, 3  # points: a character of \scriptsize, and what is between two columns


def make_table(initializers=("he_normal", "critical_orthogonal", "zero"), **columns) -> pd.DataFrame:
    rows = len(initializers)
    known = {
        "activation": "relu",
        "width": 128,
        "depth": 852,
        "seeds": 32,
        "scale": 1.0,
        "bias_std": [0.0, 0.416, NAN],
        "input_norm": 1.0,
        "rank": [2.0, 1.0, NAN],
        "slope": [-0.539655, 0.00009, NAN],
        "slope_low": [-0.54, -0.00014, NAN],
        "slope_high": [-0.5393, 0.00032, NAN],
        "predicted": [-0.53978, NAN, NAN],
        "z": [-3.2, NAN, NAN],
        "verdict": ["differs", "no theory", "undefined"],
        "depth_1e3": [7.0, INF, NAN],
        "depth_float32": [162.0, INF, NAN],
        "depth_bfloat16": [162.0, INF, NAN],
        "depth_float16": [23.0, INF, NAN],
        "imbalance": [-204.65, 0.2, NAN],
        "spread": [0.81, 0.5, NAN],
        "predicted_spread": [0.79, NAN, NAN],
        "lyapunov_spread": [0.003, INF, NAN],
        "isometry_seeds": 4,
        "condition_depth": 64,
        "log10_condition": [25.34, INF, NAN],
        "dead": [0.125, 0.0, 1.0],
        "relative_imbalance": [-1.25, 0.1, NAN],
        "rank_by": "slope",
        "seeds_needed": NAN,
        "depth_1e3_of": "all layers",
        "depth_format_of": "entries",
    } | columns
    known = {f"rank_{name}": known["rank"] for name in RANK_BY} | known
    cut = {name: value[:rows] if isinstance(value, list) else [value] * rows for name, value in known.items()}
    return pd.DataFrame({"initializer": list(initializers), **cut})


def latex_rows(text: str) -> list[list[str]]:
    """The cells of the first tabular, heading first."""
    lines = [line.removesuffix(" \\\\") for line in text.splitlines() if line.endswith("\\\\")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line)] for line in lines]


@pytest.mark.parametrize("style", STYLES)
def test_every_scheme_has_a_row_from_the_best_to_those_without_a_slope(style):
    text = as_text(make_table(), style).replace("\\", "")
    places = [text.index(name) for name in ("critical_orthogonal", "he_normal", "zero")]
    assert places == sorted(places)
    assert "all dead" in text[places[-1] :]
    assert "undefined" in as_text(make_table(dead=[0.125, 0.0, 0.0]), style)
    two = pd.concat([make_table(), make_table(activation="tanh")])
    assert as_text(two, style).replace("\\", "").count("depth 852, seeds: 32 (stretch and cond: 4; cond at depth 64)") == 2


@pytest.mark.parametrize("style", ["github", "simple"])
def test_numbers_of_markdown_and_terminal(style):
    text = as_text(
        make_table(), style, ["initializer", "slope", "slope_low", "depth_1e3", "lyapunov_spread", "log10_condition", "dead"]
    )
    cells = {row[0]: row[1:] for row in (re.split(r"[| ]{2,}", line.strip("| ")) for line in text.splitlines())}
    assert cells["critical_orthogonal"] == ["+0.009", "-0.014", "> 852", "inf", "inf"]
    assert cells["he_normal"] == ["-53.965", "-54.000", "7", "0.30", "10^25.3", "12 %"]


def test_a_condition_number_is_a_power_of_ten_in_latex_too():
    rows = latex_rows(as_text(make_table(), "latex", ["initializer", "log10_condition"]))
    assert rows[1:] == [[r"critical\_orthogonal", r"$\infty$"], [r"he\_normal", "$10^{25.3}$"], ["zero", ""]]


@pytest.mark.parametrize("columns", [None, list(COLUMNS)])
def test_latex_columns_are_numbers_that_siunitx_parses_and_all_else_is_braced(columns):
    text = as_text(make_table(), "latex", columns)
    (kinds,) = re.findall(r"\\begin{tabular}{(.*)}\n", text)
    kinds = kinds.removeprefix("@{} ").removesuffix(" @{}").split(" ")
    head, *rows = latex_rows(text)
    assert len(rows) == 3
    for cells in (head, *rows):
        assert len(cells) == len(kinds)
    for place, kind in enumerate(kinds):
        assert re.fullmatch(r"\{.*\}", head[place])
        if not kind.startswith("S"):
            continue
        sign, whole, after = re.fullmatch(r"S\[table-format=(-?)(\d)(?:\.(\d))?\]", kind).groups()  # type: ignore[union-attr]
        fits = re.compile(rf"{'[+-]?' if sign else ''}\d{{1,{whole}}}" + (rf"(\.\d{{1,{after}}})?" if after else ""))
        for cells in rows:
            assert not cells[place] or re.fullmatch(r"\{.*\}", cells[place]) or fits.fullmatch(cells[place]), cells[place]
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(rf"\{rule}") == 1
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.isascii()
    assert all(f"\\usepackage{{{package}}}" in text for package in ("booktabs", "siunitx"))


def test_by_default_a_latex_table_fits_on_a_page():
    scales = make_table(scale=[1.0, 1.5, 2.0])
    assert brief(scales) == tuple(name for name in BRIEF if name != "architecture")  # it has one
    assert not {"scale", "dead"} & set(brief(make_table(dead=0.0)))
    rows = latex_rows(as_text(scales, "latex"))
    bare = [[re.sub(r"\\|[{}$^]", "", cell) for cell in row] for row in rows]
    width = sum(max(map(len, column)) for column in zip(*bare, strict=True)) * DIGIT + SPACE * (len(bare[0]) - 1)
    assert width < TEXT_WIDTH
    assert r"\scriptsize" in as_text(scales, "latex")
    assert r"\footnotesize" in as_text(make_table(), "latex")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs TeX")
@pytest.mark.parametrize("paper", ["a4paper", "letterpaper"])
def test_by_default_latex_sets_a_table_within_the_text_of_an_article(tmp_path, paper):
    packages = re.findall(r"\\usepackage{\w+}", PREAMBLE)
    names = ("he_normal", "critical_orthogonal", "scaled_identity")
    widest = {"log10_condition": [1530.3, INF, NAN], "slope": [-0.85135, 0.5, NAN]}
    table = pd.concat([make_table(names, **widest, scale=scale) for scale in (1.0, 1.25)])
    for number, shown in enumerate((make_table(names, **widest), table)):
        lines = [rf"\documentclass[10pt,{paper}]{{article}}", *packages, r"\begin{document}", as_text(shown, "latex")]
        source = tmp_path / f"table{number}.tex"
        source.write_text("\n".join([*lines, r"\end{document}"]))
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", source.name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
        if "File `siunitx.sty' not found" in done.stdout or "File `booktabs.sty' not found" in done.stdout:
            pytest.skip("needs the packages booktabs and siunitx")
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Overfull" not in done.stdout


HOSTILE = "a_b&c%d$e#f{g}h~i^j\\k|l`m*n<o>p\nq[r](s)"


def test_names_are_escaped_in_latex():
    text = as_text(make_table([HOSTILE], activation=HOSTILE), "latex", ["initializer", "rank"])
    (cells,) = latex_rows(text)[1:]
    assert cells == [
        r"a\_b\&c\%d\$e\#f\{g\}h\textasciitilde{}i\textasciicircum{}j\textbackslash{}k$|$l`m*n$<$o$>$p q[r](s)",
        "2",
    ]
    assert all(line.startswith("%") for line in text.splitlines() if "width 128" in line)


def test_names_are_escaped_in_markdown():
    text = as_text(make_table([HOSTILE], activation=HOSTILE), "github", ["initializer", "rank"])
    (row,) = (line for line in text.splitlines() if line.startswith("| ") and "initializer" not in line)
    assert r"j\\k\|l\`m\*n&lt;o>p q\[r\](s)" in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    assert next(line for line in text.splitlines() if line.startswith("###")).count("&lt;") == 1


def test_columns_are_chosen_by_their_names_in_the_csv_file(tmp_path):
    assert check_columns(None) is None
    assert check_columns(["z", "rank", "z"]) == ("z", "rank")
    assert check_columns(["all"]) == tuple(COLUMNS)
    assert set(COLUMNS) - {"architecture"} <= set(make_table().columns)
    with pytest.raises(SweepError, match=r"columns: got 'slop', expected some of all, rank.*slope"):
        check_columns(["slop"])
    csv, markdown, latex = write_table(make_table(), tmp_path, ["initializer", "z"])
    pd.testing.assert_frame_equal(pd.read_csv(csv), make_table(), check_exact=False)
    assert latex_rows(latex.read_text())[0] == ["{initializer}", "{z}"]
    assert "slope |" not in markdown.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.csv", "table.md", "table.tex"]


@pytest.mark.parametrize("style", STYLES)
def test_what_cannot_be_told_apart_has_no_rank_and_the_table_says_what_would_do(style):
    untold = make_table(("a", "b"), rank=NAN, rank_slope=NAN, seeds_needed=23.0)
    text = as_text(untold, style, ["rank", "initializer"])
    dash = "--" if style == "latex" else "–"
    assert len(re.findall(rf"^\W*{dash}\W+[ab]\b", text, re.MULTILINE)) == 2
    assert "about 23 seeds would tell b from a (80 % power" in text
    assert "1,000,000 seeds would not tell b from a" in as_text(untold.assign(seeds_needed=INF), style)
    assert "so few seeds do not say" in as_text(untold.assign(seeds_needed=NAN), style)
    assert "it takes 4 to tell spreads apart" in as_text(untold.assign(seeds_needed=NAN, rank_by="spread"), style)
    assert "no network is dead" in as_text(untold.assign(rank_by="dead", dead=0.0), style)
    assert "seeds would" not in as_text(make_table(), style)
    assert "seeds would" not in as_text(untold.iloc[:1], style)


@pytest.mark.parametrize("style", STYLES)
def test_one_scheme_has_no_rank_and_the_table_says_why(style):
    alone = make_table(("a", "b"), rank=NAN, slope=[0.1, NAN], dead=0.0)
    dash = "--" if style == "latex" else "–"
    assert f"{dash} there is one scheme: none to tell it from." in as_text(alone.iloc[:1], style)
    assert f"{dash} only one scheme is defined: none to tell it from." in as_text(alone, style)
    assert "to tell it from" not in as_text(alone.iloc[1:], style)  # undefined: its rank is empty


@pytest.mark.parametrize("style", STYLES)
def test_a_table_with_dead_networks_shows_their_share_also_where_all_have_one(style):
    text = as_text(make_table(dead=1.0, slope=NAN), style).replace("\\", "")
    assert text.count("100 %") == 3
    assert text.count("all dead") == 3


@pytest.mark.parametrize("style", STYLES)
def test_the_table_says_what_it_ranks_by_and_where_other_numbers_disagree(style):
    table = make_table(("a", "b", "c"), rank_spread=[1.0, 2.0, NAN], rank_by="slope")
    assert "Other numbers order some pairs of schemes the other way round: spread 1 of 3 (first: a)." in as_text(
        table, style
    )
    assert "Other numbers" not in as_text(make_table(), style)
    by = make_table(rank_by="relative_imbalance")
    assert "by rel. first/last" in as_text(by, style, ["rank"])
    assert "by slope" in as_text(make_table(), style, ["rank"])


def test_the_legend_says_what_depths_are_of():
    assert "gradients of all layers stay" in " ".join(legend(make_table()))
    assert "less than half of the first gradient's entries to 0" in " ".join(legend(make_table()))
    without = make_table(depth_1e3_of="first layer", depth_format_of="norm")
    assert "the first layer's gradient stays" in " ".join(legend(without))
    assert "norm, not its entries" in " ".join(legend(without))


def test_rows_of_a_rank_are_in_the_order_of_dead_networks_and_then_of_the_number():
    table = make_table(("a", "b", "c"), rank=1.0, dead=[0.25, 0.0, 0.0], slope=[0.0, -0.2, 0.1])
    assert in_order(table).initializer.tolist() == ["c", "b", "a"]


@pytest.mark.parametrize("style", STYLES)
def test_input_norms_are_tables_of_their_own(style):
    text = as_text(pd.concat([make_table(input_norm=norm) for norm in (1.0, 10.0)]), style)
    assert text.count("width 128, depth 852") == 2
    assert text.count("inputs of norm 10 sqrt n" if style == "latex" else "inputs of norm 10 √n") == 1
