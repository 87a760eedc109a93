"""Arrays as the page holds them: base64 of their bytes, little endian, so that -inf and NaN stay what they are."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

TYPES = {"float32": "<f4", "uint8": "u1", "uint16": "<u2"}


def pack(values: np.ndarray, dtype: str = "float32") -> dict[str, str]:
    """An array in a page's JSON."""
    return {"type": dtype, "bytes": base64.b64encode(np.asarray(values, TYPES[dtype]).tobytes()).decode("ascii")}


def unpack(packed: dict[str, Any]) -> np.ndarray:
    """The same array again, flat."""
    return np.frombuffer(base64.b64decode(packed["bytes"]), TYPES[packed["type"]])
