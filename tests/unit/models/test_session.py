from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from shizi.core.errors import IncompatibleModel, ModelError, ModelNotFound
from shizi.models.manifest import Task
from shizi.models.session import FakeSession, OrtSession, Session
from shizi.models.store import DEFAULT_RECOGNIZER, ModelStore


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"absent\.onnx"):
        OrtSession(tmp_path / "absent.onnx")


def test_a_file_that_is_no_model_is_incompatible(tmp_path: Path) -> None:
    path = tmp_path / "noise.onnx"
    path.write_bytes(b"\x00\x01no network" * 20)
    with pytest.raises(IncompatibleModel, match="noise"):
        OrtSession(path)


def test_an_empty_file_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.touch()
    with pytest.raises(ModelError):
        OrtSession(path)


def test_no_thread_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        OrtSession(tmp_path / "x.onnx", threads=0)


@pytest.fixture(scope="module")
def detector_session() -> OrtSession:
    spec = find_spec("rapidocr")
    assert spec is not None
    assert spec.origin is not None
    return OrtSession(Path(spec.origin).parent / "models" / "PP-OCRv6_det_small.onnx")


def test_the_content_of_the_file_is_not_kept() -> None:
    content = Path(ModelStore().find(DEFAULT_RECOGNIZER, Task.RECOGNIZE).file).read_bytes()
    before = sys.getrefcount(content)
    session = OrtSession(content)

    assert sys.getrefcount(content) == before
    assert session.input_names


def test_a_real_network_runs(detector_session: OrtSession) -> None:
    session: Session = detector_session
    (name,) = session.input_names
    assert len(session.output_names) == 1
    (answer,) = session.run({name: np.zeros((1, 3, 32, 64), np.float32)})
    assert answer.shape == (1, 1, 32, 64)
    assert isinstance(session.metadata, dict)


@pytest.mark.parametrize(
    "array",
    [np.zeros((1, 3, 32), np.float32), np.zeros((1, 3, 32, 32), np.float64)],
    ids=["rank", "dtype"],
)
def test_arrays_that_do_not_fit_are_incompatible(
    detector_session: OrtSession, array: np.ndarray
) -> None:
    (name,) = detector_session.input_names
    with pytest.raises(IncompatibleModel, match="does not take"):
        detector_session.run({name: array})


def test_unknown_names_are_incompatible(detector_session: OrtSession) -> None:
    feed = np.zeros((1, 3, 32, 32), np.float32)
    with pytest.raises(ModelError):
        detector_session.run({"nothing": feed})
    with pytest.raises(ModelError):
        detector_session.run({detector_session.input_names[0]: feed}, ["nothing"])


def test_the_fake_runs_its_function_and_remembers_shapes() -> None:
    fake = FakeSession(
        lambda feeds: [feeds["x"] + 1, feeds["x"] * 2], output_names=("a", "b"), metadata={"k": "v"}
    )
    session: Session = fake
    (doubled,) = session.run({"x": np.arange(3)}, ["b"])
    assert doubled.tolist() == [0, 2, 4]
    assert len(session.run({"x": np.arange(2)})) == 2
    assert fake.shapes == [{"x": (3,)}, {"x": (2,)}]
    assert session.metadata == {"k": "v"}


def test_the_fake_refuses_what_a_network_would_refuse() -> None:
    fake = FakeSession(lambda feeds: [feeds["x"]])
    with pytest.raises(IncompatibleModel):
        fake.run({"z": np.zeros(1)})
    with pytest.raises(IncompatibleModel):
        fake.run({"x": np.zeros(1)}, ["z"])
