"""Every claim can fail: rows that violate it change its verdict."""

from importlib import import_module

import pytest

from analysis.papers.claim import DIFFERS, REPRODUCED, UNRESOLVED, Claim, Estimate, Range, judge, verdict
from analysis.papers.find import load, references

PAPERS = {name: load(name) for name in references()}
CLAIMS = [(name, claim) for name, paper in PAPERS.items() for claim in paper.claims if claim.measure]


def examples(name):
    return import_module(f"tests.analysis.papers.examples.{name}").EXAMPLES


@pytest.mark.parametrize(("name", "claim"), CLAIMS, ids=lambda value: value if isinstance(value, str) else value.name)
def test_rows_that_fulfil_a_claim_reproduce_it_and_rows_that_violate_it_differ(name, claim):
    fulfil, violate, *silent = examples(name)[claim.name]
    assert judge(claim, fulfil)["verdict"] == REPRODUCED
    assert judge(claim, violate)["verdict"] == DIFFERS
    assert {judge(claim, each)["verdict"] for each in silent} <= {UNRESOLVED}


@pytest.mark.parametrize("name", PAPERS)
def test_there_are_examples_for_the_claims_that_there_are_and_the_paper_is_called_as_its_file(name):
    paper = PAPERS[name]
    assert set(examples(name)) == {claim.name for claim in paper.claims if claim.measure}
    assert paper.name == name
    reference = references()[name]
    assert (paper.authors, paper.year, paper.title, paper.arxiv) == reference


def a_claim(**fields):
    words = {"name": "a", "sentence": "b", "where": "c", "published": "1", "measure": lambda _: Estimate(1, 1, 1)}
    return Claim(**{**words, "accepts": Range(0.9, 1.1), **fields})


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.95, 1.05, "reproduced"),
        (0.5, 0.8, "differs"),
        (1.2, 1.4, "differs"),
        (0.8, 1.0, "not resolved"),
        (0.5, 1.5, "not resolved"),
        (float("-inf"), float("inf"), "not resolved"),
        (float("nan"), float("nan"), "not resolved"),
    ],
)
def test_a_verdict_is_where_the_interval_lies(low, high, expected):
    assert verdict(a_claim(), Estimate(1.0, low, high)) == expected


def test_what_cannot_fail_is_no_claim():
    with pytest.raises(ValueError, match=r"accepts: .* expected a range that 'a' can miss"):
        a_claim(accepts=Range())
    with pytest.raises(ValueError, match=r"because: .* out of scope"):
        a_claim(measure=None)
    with pytest.raises(ValueError, match="sure: got 'certainly'"):
        a_claim(sure="certainly")
    row = judge(a_claim(measure=None, because="it needs a corpus"), {})
    assert row["verdict"] == "out of scope"
