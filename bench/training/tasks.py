"""Tasks by name: what networks are trained on, as arrays.

    digits                                   scikit-learn's 1797 handwritten digits, 8×8; every fifth of each for testing
    FILE.npz                                 x_train, y_train, x_test, y_test, in the layout of Keras's mnist.npz
    teacher:inputs=32,outputs=10,hidden=64   a random linear teacher (hidden=0) or one with a layer of tanh units
    saxe:values=4/2/1,inputs=16              a linear map with those singular values, whitened inputs (Saxe et al. 2014)
    saxe:aligned=true                        the same, and weights begin along its singular vectors: each mode learns alone
    noise:inputs=16,outputs=1,examples=272   independent inputs and targets, to be learned by heart (Sohl-Dickstein 2024)

Inputs have mean square 1 or about that, so that ‖x‖² is near their number, as the contract's inputs have it. Images are
centred pixel by pixel and divided by one number, both from the training set: dividing every pixel by its own deviation would
blow up those that are almost always blank.
"""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.settings.defaults import VALUES
from bench.settings.errors import SweepError
from bench.settings.registry import describe
from bench.settings.specs import parse_spec
from bench.training.rules import OF_TASKS, broken

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
TEST_EVERY = 5
LARGEST = 1e30  # of a number: its square is far inside float64, and itself inside float32
MOST_CLASSES = 100_000
MOST_NUMBERS = 100_000_000  # of an array


class Task(NamedTuple):
    """Examples, in float64. A label is the largest target: targets of a classification are one-hot."""

    x_train: np.ndarray  # [examples, inputs]
    y_train: np.ndarray  # [examples, outputs]
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def inputs(self) -> int:
        """Numbers of an example."""
        return self.x_train.shape[1]

    @property
    def outputs(self) -> int:
        """Numbers that a network answers: classes, or targets."""
        return self.y_train.shape[1]

    @property
    def digest(self) -> str:
        """What tells these arrays from all others."""
        found = hashlib.sha256()
        for array in self:
            # last digits depend on the machine's linear algebra, and -0 is 0
            found.update(repr(array.shape).encode() + (np.round(array, 6) + 0.0).tobytes())
        return found.hexdigest()[:16]


def digits() -> Task:
    """Every fifth image of each digit is a test image: neighbours are by the same hand, so both sets are of all hands."""
    from sklearn.datasets import load_digits  # takes a second, and synthetic tasks do without

    images, labels = (np.asarray(array) for array in load_digits(return_X_y=True))
    earlier = np.cumsum(np.eye(labels.max() + 1, dtype=int)[labels], axis=0)[np.arange(len(labels)), labels]
    test = earlier % TEST_EVERY == 0
    return classification(images[~test], labels[~test], images[test], labels[test])


def classification(x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> Task:
    """Images [examples, …] of any dtype and their labels 0, 1, … as a task."""
    classes = int(max(y_train.max(), y_test.max())) + 1
    train, test = (np.asarray(x, float).reshape(len(x), -1) for x in (x_train, x_test))
    train, test = train - (mean := train.mean(axis=0)), test - mean
    size = np.sqrt(np.mean(train**2)) or 1.0
    return Task(train / size, np.eye(classes)[y_train], test / size, np.eye(classes)[y_test])


def load_file(path: Path) -> Task:
    """An ``.npz`` of images and labels, or of inputs and float targets [examples, outputs]. Raises ValueError."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
        missing = [name for name in ARRAYS if name not in found]
        if missing:
            raise ValueError(f"it has no {', '.join(missing)}")
        x_train, y_train, x_test, y_test = (found[name] for name in ARRAYS)
    for x, y in ((x_train, y_train), (x_test, y_test)):
        if x.dtype.kind not in "biuf" or y.dtype.kind not in "biuf":
            raise ValueError(f"its arrays hold {x.dtype} and {y.dtype}, not numbers")
        if x.ndim < 2 or y.ndim < 1 or len(x) != len(y) or not x.size or not y.size:
            raise ValueError(f"inputs {list(x.shape)} and targets {list(y.shape)} do not belong together")
        if not (np.abs(x.astype(float)) < LARGEST).all() or not (np.abs(y.astype(float)) < LARGEST).all():
            raise ValueError(f"not all of its numbers are finite and below {LARGEST:g}")
    if x_train.shape[1:] != x_test.shape[1:] or y_train.shape[1:] != y_test.shape[1:]:
        raise ValueError("training and test examples differ in shape")
    labels = [y.dtype.kind in "biu" and y.size == len(y) for y in (y_train, y_test)]
    if labels[0] != labels[1]:
        raise ValueError("training targets are labels and test targets are not, or the other way round")
    if labels[0]:
        y_train, y_test = (y.astype(int).ravel() for y in (y_train, y_test))
        if min(y_train.min(), y_test.min()) < 0 or max(y_train.max(), y_test.max()) >= MOST_CLASSES:
            raise ValueError(f"labels are 0, 1, … up to {MOST_CLASSES - 1}")
        return classification(x_train, y_train, x_test, y_test)
    y_train, y_test = (np.asarray(y, float).reshape(len(y), -1) for y in (y_train, y_test))
    blank = np.zeros(1, int)
    inputs = classification(x_train, blank, x_test, blank)
    return Task(inputs.x_train, y_train, inputs.x_test, y_test)


def teacher(*, inputs: int = 32, outputs: int = 10, hidden: int = 0, examples: int = 1024, seed: int = 0) -> Task:
    """Targets A x, or A tanh(B x) with ``hidden`` units; x and all weights Gaussian, outputs of unit variance or less.

    Half as many examples again are for testing.
    """
    random = np.random.Generator(np.random.Philox(seed))
    x = random.standard_normal((examples + examples // 2 + 1, inputs))
    features = np.tanh(x @ random.standard_normal((inputs, hidden)) / np.sqrt(inputs)) if hidden else x
    y = features @ random.standard_normal((features.shape[1], outputs)) / np.sqrt(features.shape[1])
    return Task(x[:examples], y[:examples], x[examples:], y[examples:])


def saxe(
    *,
    values: tuple[float, ...] | float = VALUES,
    inputs: int = 16,
    outputs: int = 16,
    seed: int = 0,
    aligned: bool = False,
) -> Task:
    """Targets U S Vᵀ x with the singular values S and Haar-distributed U, V; as many examples as inputs, XᵀX = inputs · E.

    Whitened inputs decouple the modes of a deep linear network (Saxe et al. 2014, arXiv 1312.6120, eq. 3). ``aligned`` is
    about weights, and changes nothing here (:mod:`bench.training.aligned`).
    """
    del aligned
    singular = np.atleast_1d(np.asarray(values, float))
    random = np.random.Generator(np.random.Philox(seed))

    def orthogonal(size: int) -> np.ndarray:
        q, r = np.linalg.qr(random.standard_normal((size, size)))
        return q * np.sign(np.diag(r))

    if len(singular) > min(inputs, outputs):
        raise ValueError(f"{len(singular)} singular values need as many inputs and outputs")
    left, right = orthogonal(outputs)[:, : len(singular)], orthogonal(inputs)[:, : len(singular)]
    linear = left * singular @ right.T
    x_train, x_test = (math.sqrt(inputs) * orthogonal(inputs) for _ in range(2))
    return Task(x_train, x_train @ linear.T, x_test, x_test @ linear.T)


def noise(
    *,
    inputs: int = 16,
    outputs: int = 1,
    examples: int = 272,
    input_std: float = 1.0,
    target_std: float = 1.0,
    seed: int = 0,
) -> Task:
    """Inputs and targets that have nothing to do with one another, all normal of mean 0, as many for testing.

    With as many examples as a network has weights (here width 16, depth 2) it is Sohl-Dickstein's task (arXiv 2402.06184).
    """
    random = np.random.Generator(np.random.Philox(seed))
    x_train, x_test = (input_std * random.standard_normal((examples, inputs)) for _ in range(2))
    y_train, y_test = (target_std * random.standard_normal((examples, outputs)) for _ in range(2))
    return Task(x_train, y_train, x_test, y_test)


TASKS: Mapping[str, Callable[..., Task]] = {"digits": digits, "teacher": teacher, "saxe": saxe, "noise": noise}
SUMMARIES = {
    "digits": "scikit-learn's 1797 handwritten digits, 8×8; every fifth of each for testing",
    "teacher": "a random teacher: inputs=32, outputs=10, hidden=0 (linear), examples=1024, seed=0",
    "saxe": "a linear map with singular values, whitened: values=4/2/1, inputs=16, outputs=16, seed=0; "
    "aligned=true: weights begin along its modes",
    "noise": "independent inputs and targets: inputs=16, outputs=1, examples=272, input_std=1, target_std=1, seed=0",
}


def check_task(text: object) -> str:
    """How the task is written, settled; it is not loaded. Raises SweepError (field ``task``)."""
    if isinstance(text, str) and text.endswith(".npz"):
        _stamp(text)
        return text
    spec = parse_spec("task", text, TASKS)
    for name, _ in spec.arguments:
        if name not in inspect.signature(TASKS[spec.name]).parameters:
            raise SweepError("task", text, SUMMARIES[spec.name])
    if wanted := broken(OF_TASKS, spec.arguments):
        raise SweepError("task", text, wanted)
    counts = sorted(value for name, value in spec.arguments if name in ("inputs", "outputs", "hidden", "examples"))
    if math.prod(counts[-2:]) > MOST_NUMBERS:
        raise SweepError("task", text, f"arrays of at most {MOST_NUMBERS:,} numbers")
    return str(spec)


def load_task(text: str) -> Task:
    """The task of that name, or in that file. Raises SweepError (field ``task``)."""
    return _load(text, _stamp(text) if text.endswith(".npz") else None)


def _stamp(path: str) -> tuple[int, int]:
    """What changes with a file's contents. Raises SweepError for what is no file."""
    try:
        found = Path(path).stat()
        if not Path(path).is_file():
            raise OSError("not a file")
    except (OSError, ValueError) as error:
        raise SweepError("task", path, f"a file that exists ({getattr(error, 'strerror', None) or error})") from None
    return found.st_mtime_ns, found.st_size


@cache
def _load(text: str, _stamp: tuple[int, int] | None) -> Task:
    if _stamp is not None:
        try:
            return load_file(Path(text))
        except Exception as error:  # what is not what it says fails in many ways: zlib, struct, zipfile, NumPy
            raise SweepError("task", text, f"an .npz file with {', '.join(ARRAYS)} ({describe(error)})") from error
    spec = parse_spec("task", text, TASKS)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            task = TASKS[spec.name](**dict(spec.arguments))
    except (TypeError, ValueError, MemoryError, OverflowError) as error:
        raise SweepError("task", text, f"{SUMMARIES[spec.name]} ({describe(error)})") from error
    if not all(array.size and (np.abs(array) < LARGEST).all() for array in task):
        raise SweepError("task", text, f"{SUMMARIES[spec.name]}; counts ≥ 1, and finite numbers below {LARGEST:g}")
    return task
