"""What networks are trained on is what it says."""

import numpy as np
import pytest

from bench.settings.errors import SweepError
from bench.training.draws import orders
from bench.training.tasks import check_task, load_task


def test_digits_are_split_for_ever_and_standardized_by_the_training_set():
    task = load_task("digits")
    assert (task.x_train.shape, task.x_test.shape, task.outputs) == ((1442, 64), (355, 64), 10)
    np.testing.assert_allclose(task.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.mean(task.x_train**2), 1)
    assert abs(np.mean(task.x_test**2) - 1) < 0.05
    assert np.abs(task.x_test).max() < 4  # blank pixels are not blown up
    for targets in (task.y_train, task.y_test):
        assert set(np.unique(targets)) == {0, 1}
        assert (targets.sum(axis=1) == 1).all()
        assert targets.mean(axis=0).min() > 0.09  # all digits, about equally often
    assert task.digest == "f0e3832634728a09"


def test_a_file_in_the_layout_of_mnist(tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "x_train": random.integers(0, 256, (20, 4, 3), dtype=np.uint8),
        "y_train": np.arange(20, dtype=np.uint8) % 5,
        "x_test": random.integers(0, 256, (6, 4, 3), dtype=np.uint8),
        "y_test": np.arange(6, dtype=np.uint8) % 5,
    }
    np.savez(tmp_path / "mnist.npz", **arrays)
    task = load_task(str(tmp_path / "mnist.npz"))
    assert (task.x_train.shape, task.x_test.shape, task.outputs) == ((20, 12), (6, 12), 5)
    np.testing.assert_allclose(task.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.mean(task.x_train**2), 1)
    assert (task.y_test.argmax(axis=1) == arrays["y_test"]).all()
    # the test set goes through the training set's numbers
    size = task.x_train[0, 0] / (arrays["x_train"][0, 0, 0] - arrays["x_train"][:, 0, 0].mean())
    np.testing.assert_allclose(task.x_test[0, 0], size * (arrays["x_test"][0, 0, 0] - arrays["x_train"][:, 0, 0].mean()))
    np.savez(tmp_path / "real.npz", **arrays | {"y_train": np.ones((20, 2)), "y_test": np.ones((6, 2))})
    assert load_task(str(tmp_path / "real.npz")).outputs == 2
    for name, change in {
        "missing": {"x_test": None},
        "lengths": {"y_train": arrays["y_train"][:3]},
        "shapes": {"x_test": arrays["x_test"][:, :2]},
        "labels": {"y_train": arrays["y_train"].astype(int) - 1},
        "nan": {"x_train": np.full((20, 4, 3), np.nan)},
    }.items():
        changed = {key: value for key, value in (arrays | change).items() if value is not None}
        np.savez(tmp_path / f"{name}.npz", **changed)
        with pytest.raises(SweepError, match=rf"^task: got .*{name}.npz"):
            load_task(str(tmp_path / f"{name}.npz"))
    (tmp_path / "text.npz").write_text("no arrays")
    with pytest.raises(SweepError, match=r"^task: got "):
        load_task(str(tmp_path / "text.npz"))


def test_a_column_of_labels_is_labels_and_a_file_that_changed_is_read_again(tmp_path):
    file = tmp_path / "column.npz"
    x, labels = np.random.default_rng(0).normal(size=(12, 3)), np.arange(12, dtype=np.uint8)[:, None] % 3
    np.savez(file, x_train=x, y_train=labels, x_test=x, y_test=labels)
    first = load_task(str(file))
    assert (first.y_train.argmax(axis=1) == labels[:, 0]).all()
    np.savez(file, x_train=np.vstack([x, x]), y_train=np.vstack([labels, labels]), x_test=x, y_test=labels)
    assert len(load_task(str(file)).x_train) == 24
    for name, change in {
        "mixed": {"y_test": labels.astype(float)},
        "words": {"x_train": np.full((12, 3), "a")},
        "huge": {"x_train": x * 1e300},
        "empty": {"x_train": x[:, :0], "x_test": x[:, :0]},
    }.items():
        np.savez(tmp_path / f"{name}.npz", **{"x_train": x, "y_train": labels, "x_test": x, "y_test": labels} | change)
        with pytest.raises(SweepError, match=rf"^task: got .*{name}.npz"):
            load_task(str(tmp_path / f"{name}.npz"))
    (tmp_path / "broken.npz").write_bytes(file.read_bytes()[:-40])
    with pytest.raises(SweepError, match=r"^task: got "):
        load_task(str(tmp_path / "broken.npz"))


def test_the_linear_task_has_the_singular_values_that_were_asked_for_and_white_inputs():
    task = load_task("saxe:values=3/1,inputs=6,outputs=4,seed=2")
    for x, y in ((task.x_train, task.y_train), (task.x_test, task.y_test)):
        np.testing.assert_allclose(x.T @ x / len(x), np.eye(6), atol=1e-12)
        np.testing.assert_allclose(np.linalg.svd(y.T @ x / len(x))[1], [3, 1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(np.linalg.svd(load_task("saxe:values=5").y_train)[1][:2], [20, 0], atol=1e-12)


def test_teachers_are_exact_and_their_own_for_every_seed():
    linear, shallow = load_task("teacher:inputs=8,examples=100"), load_task("teacher:inputs=8,examples=100,hidden=5")
    assert np.linalg.matrix_rank(np.hstack([linear.x_train, linear.y_train])) == 8
    assert np.linalg.matrix_rank(np.hstack([shallow.x_train, shallow.y_train])) == 8 + 5
    assert linear.digest != load_task("teacher:inputs=8,examples=100,seed=1").digest
    np.testing.assert_allclose(linear.y_train.var(), 1, rtol=0.5)


def test_noise_has_nothing_to_learn_but_by_heart():
    task = load_task("noise:inputs=4,outputs=2,examples=500")
    assert (task.x_train.shape, task.y_train.shape, task.x_test.shape) == ((500, 4), (500, 2), (500, 4))
    for x in (task.x_train, task.y_train):
        assert abs(x.mean()) < 4 / np.sqrt(x.size)
        assert abs(x.var() - 1) < 4 * np.sqrt(2 / x.size)
    assert np.abs(task.x_train.T @ task.y_train / 500).max() < 4 / np.sqrt(500)
    assert not np.isin(task.x_train, task.x_test).any()


def test_noise_is_as_large_as_it_is_asked_to_be():
    task, larger = load_task("noise:examples=20"), load_task("noise:examples=20,input_std=0.5,target_std=4")
    for own, other, factor in zip(task, larger, (0.5, 4, 0.5, 4), strict=True):
        np.testing.assert_array_equal(other, factor * own)
    with pytest.raises(SweepError, match="for input_std a finite number ≥ 0"):
        check_task("noise:input_std=-1")


@pytest.mark.parametrize(
    "written",
    ["digts", "digits:split=2", "saxe:modes=3", "teacher:inputs", "missing.npz", "", 7, "teacher:inputs=4,inputs=5"],
)
def test_what_is_no_task_is_refused(written):
    with pytest.raises(SweepError, match=r"^task: got ") as caught:
        check_task(written)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("written", ["saxe:values=1/2/3,inputs=2", "teacher:inputs=-3", "teacher:examples=many"])
def test_what_cannot_be_made_is_refused_when_it_is_made(written):
    with pytest.raises(SweepError, match=r"^task: got "):
        load_task(check_task(written))


def test_every_epoch_sees_every_example_once_and_steps_can_be_asked_for_in_any_blocks():
    whole = orders(5, 2, examples=23, batch=5, first=0, count=12)
    for epoch in whole.reshape(3, 20):
        assert len(set(epoch)) == 20
    assert (np.sort(whole[:4].ravel()) != np.sort(whole[4:8].ravel())).any()  # what is left over differs
    parts = [orders(5, 2, examples=23, batch=5, first=first, count=count) for first, count in ((0, 3), (3, 1), (4, 8))]
    assert (np.concatenate(parts) == whole).all()
    assert (orders(5, 3, examples=23, batch=5, first=0, count=12) != whole).any()
