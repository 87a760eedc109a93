"""Theory beside every measurement: mean field, exact and leading-order finite-width laws, spectra; no engine code."""

from bench.theory.angles import GradientCorrelation, gradient_correlation
from bench.theory.blocks import BlockTrajectory, block_trajectory, gated
from bench.theory.criticality import Critical, critical
from bench.theory.deep_linear import aligned_loss, learned_modes
from bench.theory.laws import Law, gradient_law, relative_law, slope_law
from bench.theory.meanfield import FixedPoint, Trajectory, fixed_point, phase, trajectory
from bench.theory.prediction import Prediction, Spread, predict
from bench.theory.sampling import Draws, draw_networks
from bench.theory.spectrum import Spectrum, jacobian_spectrum

__all__ = [
    "BlockTrajectory",
    "Critical",
    "Draws",
    "FixedPoint",
    "GradientCorrelation",
    "Law",
    "Prediction",
    "Spectrum",
    "Spread",
    "Trajectory",
    "aligned_loss",
    "block_trajectory",
    "critical",
    "draw_networks",
    "fixed_point",
    "gated",
    "gradient_correlation",
    "gradient_law",
    "jacobian_spectrum",
    "learned_modes",
    "phase",
    "predict",
    "relative_law",
    "slope_law",
    "trajectory",
]
