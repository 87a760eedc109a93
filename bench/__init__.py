"""depthscale: exact measurement of vanishing and exploding gradients, in JAX.

    import bench

    run = bench.run(bench.Sweep(activations="tanh", depths=[2, 50, 852], scales=[0.9, 1, 1.5], seeds=8), name="first")
    run.cells                       # a row for each network; run.layers: for each of its layers
    run.plot.heatmap()              # a matplotlib Figure; run.plot.heatmap(ax=...): one panel on axes of your own

* ``Sweep``, ``Training``: what is measured, what is trained; ``PRESETS``, ``TRAININGS``: some with a name.
* ``Precision``: a sweep whose networks are computed in number formats too.
* ``run``, ``train``: do it, or finish it; ``open``: a run that is there; all three return a ``Run``.
* ``plan``: what a run will cost, as ``Estimate``, before it is begun.
* ``compare``: initializations ranked, as a table, with theory beside it.
* ``gradient_norms``: of a network that is held as arrays, without a run, as ``GradientNorms``.
* ``unbounded``: any JAX function in floats whose exponent never ends, ``Extended``.
* ``rounded``: any JAX function as a shorter number format computes it; ``Policy``: the formats of a step of training.
* ``probe``: a model of your own, layer by layer, with verdicts, as ``Report``.
* ``Probe``: the same within a training loop, compiled once, at every so many steps.
* ``gradient_monitor``: norms of gradients while a model trains, as a link of an optax chain.
* ``INITIALIZERS``, ``ACTIVATIONS``: what has a name; ``Activation``: for one of your own with more than a function.
* ``Architecture``: a block of your own that has more to it than a function of one matrix.
* ``theory``: mean field and finite width, without a measurement.
* ``SweepError``, ``RunError``: what all of these raise, both ValueErrors of one line.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench import theory
    from bench.arithmetic.number import Extended
    from bench.arithmetic.policy import Policy
    from bench.arithmetic.rounding import rounded
    from bench.arithmetic.unbounded import unbounded
    from bench.engine.arrays import GradientNorms, gradient_norms
    from bench.interface.comparing import compare
    from bench.interface.measuring import open, run, train  # noqa: A004
    from bench.interface.planning import plan
    from bench.interface.run import Run
    from bench.networks.activations import ACTIVATIONS, Activation
    from bench.networks.architectures.architecture import Architecture
    from bench.networks.initializers import INITIALIZERS
    from bench.precision.precision import Precision
    from bench.probing.loop import Probe
    from bench.probing.monitor import gradient_monitor
    from bench.probing.probe import probe
    from bench.probing.report import Report
    from bench.runs.errors import RunError
    from bench.runs.estimate import Estimate
    from bench.settings.errors import SweepError
    from bench.sweeps.presets import PRESETS
    from bench.sweeps.sweep import Sweep
    from bench.training.presets import TRAININGS
    from bench.training.training import Training

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "PRESETS",
    "TRAININGS",
    "Activation",
    "Architecture",
    "Estimate",
    "Extended",
    "GradientNorms",
    "Policy",
    "Precision",
    "Probe",
    "Report",
    "Run",
    "RunError",
    "Sweep",
    "SweepError",
    "Training",
    "compare",
    "gradient_monitor",
    "gradient_norms",
    "open",
    "plan",
    "probe",
    "rounded",
    "run",
    "theory",
    "train",
    "unbounded",
]

_HOMES = {
    "ACTIVATIONS": "networks.activations",
    "Activation": "networks.activations",
    "Architecture": "networks.architectures.architecture",
    "Estimate": "runs.estimate",
    "Extended": "arithmetic.number",
    "GradientNorms": "engine.arrays",
    "INITIALIZERS": "networks.initializers",
    "Policy": "arithmetic.policy",
    "PRESETS": "sweeps.presets",
    "Precision": "precision.precision",
    "Probe": "probing.loop",
    "Report": "probing.report",
    "Run": "interface.run",
    "RunError": "runs.errors",
    "Sweep": "sweeps.sweep",
    "SweepError": "settings.errors",
    "TRAININGS": "training.presets",
    "Training": "training.training",
    "compare": "interface.comparing",
    "gradient_monitor": "probing.monitor",
    "gradient_norms": "engine.arrays",
    "open": "interface.measuring",
    "plan": "interface.planning",
    "probe": "probing.probe",
    "rounded": "arithmetic.rounding",
    "run": "interface.measuring",
    "train": "interface.measuring",
    "unbounded": "arithmetic.unbounded",
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for: theory and figures need no JAX."""
    if name == "theory":
        return import_module("bench.theory")
    if name in _HOMES:
        return getattr(import_module(f"bench.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'bench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
