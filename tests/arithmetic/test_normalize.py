"""Powers of two taken out of blocks of numbers."""

import jax.numpy as jnp
import numpy as np
import pytest

from bench.arithmetic.number import ZERO, normalize


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("length", [3, 33, 101, 4096])  # beyond 1024 the largest is found as a float
def test_normalizing_takes_the_largest_finite_entry_wherever_it_is(dtype, length):
    tiny, huge = (float(bound) for bound in (jnp.finfo(dtype).tiny, jnp.finfo(dtype).max))
    for largest in (1.5, -6, tiny, -huge, 0):
        for place in (0, length // 2, length - 1):
            entries = np.zeros((2, length))
            entries[1, place], entries[1, place - 1], entries[1, place - 2] = largest, np.inf, np.nan
            mantissa, found = normalize(jnp.asarray(entries, dtype), jnp.asarray([[5], [7]], jnp.int32))
            entry, infinite, nothing = (float(mantissa[1, place - back]) for back in range(3))
            np.testing.assert_array_equal([infinite, nothing], [np.inf, np.nan])
            assert found[0, 0] == ZERO
            if not largest:
                assert (entry, found[1, 0]) == (0, ZERO)
            else:
                assert 1 <= abs(entry) < 4
                assert entry * 2.0 ** float(found[1, 0] - 7) == pytest.approx(largest, rel=1e-9)
