"""How often ranks and intervals are wrong: ``python -m tests.perf.calibration`` (``make calibration``), about 5 minutes.

Family-wise error: tables of schemes that are equally far from 0, ranked by :func:`bench.comparison.ranking.ranks`; a table
that tells any two of them apart is wrong. Coverage: slope intervals of :func:`bench.comparison.ranking.mean_interval`
against the mean of all networks drawn. Blocks of one line are independent; lines share networks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np
from scipy.stats import binomtest
from tabulate import tabulate

import bench
from bench.cli.surroundings import configure_jax
from bench.comparison.ranking import mean_interval, ranks
from bench.theory.sampling import draw_networks

TABLES = 800  # of each kind
BLOCKS = 400  # of 32 seeds for each interval, and more of fewer
SEEDS = (4, 8, 12, 16, 32)
SCHEMES = (2, 4, 12)
WIDTH, DEPTH = 16, 30
KEY = 1
DISTANCE = 0.05  # decades a layer, of schemes at +m and -m
NARROW = 6  # of ReLU networks of which many die
FREEDOM, CENTRE = 3, 20.0  # of Student's t, whose numbers are no network's: a few are far out
HEAVY = 2.2  # scale of Gaussian GELU networks of which a few lose thousands of decades a layer


def measured(initializer: str, activation: str, seeds: int, *, scale: float = 1.0) -> np.ndarray:
    """The slopes of so many networks of the suite, decades a layer."""
    sweep = bench.Sweep(
        initializers=(initializer,),
        activations=(activation,),
        depths=(2, DEPTH),
        scales=(scale,),
        widths=(WIDTH,),
        seeds=seeds,
        layers=False,
        key=KEY,
    )
    with tempfile.TemporaryDirectory() as folder:
        cells = bench.run(sweep, results=folder, progress=False).cells
    norms = cells.pivot(index="seed", columns="depth", values="log10_grad_first").to_numpy()
    with np.errstate(invalid="ignore"):  # dead at both depths
        return (norms[:, 1] - norms[:, 0]) / (DEPTH - 2)


def drawn(activation: str, width: int, networks: int, generator: np.random.Generator) -> np.ndarray:
    """Slopes of Gaussian networks, drawn from their exact law; -inf for a dead one."""
    kind = {"width": width, "depths": (2, DEPTH), "weight_std": 1.0, "samples": networks}
    shallow, deep = draw_networks(activation, generator=generator, **kind).log10_grad_first.T
    return np.where(np.isneginf(deep), -np.inf, deep - np.where(np.isneginf(deep), 0.0, shallow)) / (DEPTH - 2)


def cases(generator: np.random.Generator) -> Iterator[tuple[str, str, np.ndarray, float]]:
    """What is ranked: a name, the number that ranks, slopes of many networks, and how far the schemes are from 0."""
    most = max(SCHEMES) * max(SEEDS) * TABLES
    leaky = drawn("leaky_relu", WIDTH, most, generator)
    yield "leaky ReLU", "slope", leaky, 0.0
    leaky = leaky - leaky.mean()  # as a scale does it: the slope is log10 of it higher
    yield f"leaky ReLU at +{DISTANCE} and -{DISTANCE}", "slope", leaky, DISTANCE
    narrow = drawn("relu", NARROW, most, generator)
    dead = np.isneginf(narrow).mean()
    yield f"ReLU, width {NARROW}, {dead:.0%} dead", "slope", narrow, 0.0
    narrow = narrow - narrow[np.isfinite(narrow)].mean()
    yield "the same at + and -", "slope", narrow, DISTANCE
    heavy = measured("gaussian", "gelu", max(SCHEMES) * SEEDS[1] * TABLES, scale=HEAVY)
    yield f"GELU × {HEAVY}, heavy tails", "slope", heavy, 0.0
    yield "leaky ReLU", "spread", leaky, 0.0
    yield f"GELU × {HEAVY}, heavy tails", "spread", heavy, 0.0
    outliers = CENTRE + np.random.default_rng(KEY).standard_t(FREEDOM, most)
    for by in ("slope", "spread"):
        yield f"Student's t, {FREEDOM} degrees of freedom", by, outliers, 0.0


def false_tables(by: str, slopes: np.ndarray, schemes: int, seeds: int, distance: float) -> int:
    """How many of :data:`TABLES` tables of equal schemes tell two of them apart."""
    signs = (-1.0) ** np.arange(schemes)[:, None]
    values = slopes[: TABLES * schemes * seeds].reshape(TABLES, schemes, seeds) + distance * signs
    dead = np.isneginf(values)
    values = np.where(dead, np.nan, values)
    return sum(bool(np.isfinite(ranks(by, *table)).any()) for table in zip(values, dead, strict=True))


def errors(generator: np.random.Generator) -> list[dict[str, str | int]]:
    """A line for each case and number of schemes, a column for each number of seeds."""
    lines = []
    for name, by, slopes, distance in cases(generator):
        for schemes in SCHEMES:
            line: dict[str, str | int] = {"schemes": f"{schemes} × {name}", "ranked by": by}
            for seeds in SEEDS:
                enough = len(slopes) >= TABLES * schemes * seeds
                false = false_tables(by, slopes, schemes, seeds, distance) if enough else None
                line[f"{seeds} seeds"] = "" if false is None else share(false, TABLES)
            lines.append(line)
    return lines


def coverage() -> list[dict[str, str | int]]:
    """How many blocks of seeds have a 95 % interval that holds the mean of all blocks."""
    lines = []
    for initializer in ("gaussian", "orthogonal"):
        for activation in ("relu", "tanh"):
            slopes = measured(initializer, activation, BLOCKS * max(SEEDS))
            line: dict[str, str | int] = {"weights": initializer, "activation": activation}
            mean = slopes[np.isfinite(slopes)].mean()
            for seeds in SEEDS:
                blocks = slopes[: len(slopes) // seeds * seeds].reshape(-1, seeds)
                covered = sum(low <= mean <= high for low, high in map(mean_interval, blocks))
                line[f"{seeds} seeds"] = share(covered, len(blocks))
            lines.append(line)
    return lines


def share(count: int, of: int) -> str:
    """In percent, with its 95 % binomial interval."""
    low, high = binomtest(count, of).proportion_ci()
    return f"{count / of:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def main() -> None:
    """Simulate and print, in Markdown."""
    configure_jax(compilation_cache=True)
    print(tabulate(errors(np.random.default_rng(KEY)), headers="keys", tablefmt="github"), end="\n\n")
    print(tabulate(coverage(), headers="keys", tablefmt="github"))


if __name__ == "__main__":
    main()
