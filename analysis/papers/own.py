"""A reader's own paper: its functions may fail in any way, and what they raise is told in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from analysis.papers.claim import Claim, Estimate, is_number
from analysis.papers.paper import Paper
from bench.runs.place import RUN_NAME
from bench.settings.errors import UsageError, shown
from bench.settings.registry import describe


def told(paper: Paper, module: str) -> Paper:
    """The same paper, whose functions raise nothing but a UsageError: of its module, which of them failed, and how."""

    def own(function: Callable[..., Any], what: str, check: Callable[[Any], object] = lambda _: None) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            try:
                found = function(*arguments, **options)
                check(found)
            except (Exception, SystemExit) as error:
                accepted = f"a paper whose {what}"
                raise UsageError(f"papers: got {module!r}, expected {accepted} ({describe(error)})") from error
            return found

        return call

    def of_claim(claim: Claim) -> Claim:
        measure, theory = claim.measure, claim.theory
        return replace(
            claim,
            measure=measure and own(measure, f"claim {claim.name!r} can be measured", _check_estimate),
            theory=theory and own(theory, f"claim {claim.name!r} has a number of theory", float),
        )

    return replace(
        paper,
        runs=own(paper.runs, "runs can be made", _check_runs),
        computed=own(paper.computed, "frames can be computed", dict),
        plot=own(paper.plot, "figure can be drawn", _check_figure),
        claims=tuple(map(of_claim, paper.claims)),
    )


def _check_estimate(found: Any) -> None:
    if not isinstance(found, Estimate) or not all(map(is_number, found)):
        raise TypeError(f"got {shown(found)}, expected an Estimate of three numbers")


def _check_figure(found: Any) -> None:
    from matplotlib.figure import Figure

    if not isinstance(found, Figure):
        raise TypeError(f"got {shown(found)}, expected a Figure")


def _check_runs(found: Mapping[str, Any]) -> None:
    import bench

    for label, settings in found.items():
        if not RUN_NAME.fullmatch(label):
            raise ValueError(f"label: got {shown(label)}, expected letters, digits and . _ + -, as in a folder's name")
        if not isinstance(settings, bench.Sweep | bench.Training | bench.Precision):
            raise TypeError(f"{label!r}: got {shown(settings)}, expected a sweep, training or precision")
