import numpy as np
import pytest
from scipy.integrate import quad

from bench.theory import aligned_loss, learned_modes

VALUES = [3.0, 1.0, 0.4]


@pytest.mark.parametrize("matrices", [2, 3, 4, 10])
def test_a_mode_takes_as_long_as_the_integral_of_its_law(matrices):
    """t/τ = ∫ du / (N u^(2-2/N) (s - u)), by quadrature."""
    times = np.linspace(0, 3, 7)
    learned = learned_modes(VALUES, start=0.05, matrices=matrices, times=times)
    for mode, s in enumerate(VALUES):
        for t, u in zip(times[1:], learned[1:, mode], strict=True):
            if s - u > 1e-6:  # beyond, time has no digits left in u
                needed, _ = quad(lambda x, s=s: 1 / (matrices * x ** (2 - 2 / matrices) * (s - x)), 0.05, u, epsabs=1e-12)
                assert needed == pytest.approx(t, rel=1e-5)


@pytest.mark.parametrize("matrices", [2, 5])
def test_modes_begin_where_they_start_and_end_at_their_singular_values(matrices):
    learned = learned_modes(VALUES, start=0.1, matrices=matrices, times=np.array([0.0, 1e3, 1e6]))
    np.testing.assert_allclose(learned[0], 0.1, rtol=1e-8)
    np.testing.assert_allclose(learned[-1], VALUES, rtol=1e-8)
    losses = aligned_loss(VALUES, start=0.1, matrices=matrices, times=np.linspace(0, 5, 30))
    assert losses[0] == pytest.approx(sum((s - 0.1) ** 2 for s in VALUES) / 2)
    assert (np.diff(losses) < 0).all()


def test_a_mode_that_the_task_has_not_is_forgotten_as_a_power_and_nothing_grows_from_nothing():
    times = np.array([0.0, 1.0, 10.0])
    np.testing.assert_allclose(learned_modes([0.0], start=0.5, matrices=2, times=times)[:, 0], 0.5 / (1 + times))
    for matrices in (2, 3):
        assert (learned_modes(VALUES, start=0.0, matrices=matrices, times=times) == 0).all()
    # of three: u' = -3 u^(7/3), so u^(-4/3) grows as 4 t
    found = learned_modes([0.0], start=0.5, matrices=3, times=times)[:, 0]
    np.testing.assert_allclose(found, (0.5 ** (-4 / 3) + 4 * times) ** (-3 / 4), rtol=1e-7)
