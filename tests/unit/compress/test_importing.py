"""ModelScope's two recognizers, from files of exactly their names and shapes to read lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from shizi.compress import importing  # noqa: E402
from shizi.compress.importing import (  # noqa: E402
    Imported,
    ImportPlan,
    import_recognizer,
    read_weights,
)
from shizi.core.errors import (  # noqa: E402
    FileAccessError,
    GateFailed,
    IncompatibleModel,
    ModelConflict,
    OptionError,
)
from shizi.models.opening import open_recognizer  # noqa: E402
from shizi.models.recognizer import Reading, Recognizer  # noqa: E402
from shizi.models.store import ModelStore, Task, verify  # noqa: E402
from shizi.nets.modelscope import Family  # noqa: E402
from tests.unit.compress import modelscope  # noqa: E402

pytestmark = pytest.mark.torch


@dataclass(frozen=True)
class Case:
    """One of the two: its file's content, how it computes, and what was made of it."""

    family: Family
    state: modelscope.State
    scores: Callable[[modelscope.State, torch.Tensor], torch.Tensor]
    width: int
    first_class: int
    models: Path
    imported: Imported

    @property
    def name(self) -> str:
        return self.family.lower()

    def recognizer(self) -> Recognizer:
        return open_recognizer(ModelStore((self.models,)), self.name, 2)

    def wanted(self, picture: np.ndarray) -> str:
        """Give what ModelScope reads where the line is, without spaces at its ends."""
        with torch.no_grad():
            (scores,) = self.scores(self.state, modelscope.canvas(picture, self.width))
        rows, columns = picture.shape[:2]
        columns_of_line = -(-min(self.width, int(32 * columns / rows)) // 4)
        return modelscope.decoded(scores[:columns_of_line], self.first_class).strip(" ")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keep torch from fighting with other tests for processors, which costs it tenfold."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=list(Family))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("modelscope")
    crnn = request.param is Family.CRNN
    shapes = modelscope.crnn_shapes() if crnn else modelscope.convnext_shapes()
    state = modelscope.talkative(modelscope.generated(shapes))
    source = modelscope.save(state, folder / "source")
    plan = ImportPlan(source, None, folder / "models", request.param.lower(), "1.0.0")
    scores = modelscope.crnn_scores if crnn else modelscope.convnext_scores
    width, first = (640, 1) if crnn else (804, 2)
    done = import_recognizer(plan)
    return Case(request.param, state, scores, width, first, folder / "models", done)


def test_the_files_have_the_published_size() -> None:
    sizes = [
        sum(int(np.prod(shape)) for name, shape in shapes.items() if "running" not in name)
        for shapes in (modelscope.crnn_shapes(), modelscope.convnext_shapes())
    ]
    # Counters of training, one for each of the seven norms, are no parameters.
    assert sizes == [11_966_336 + 7, 19_177_980]


def test_a_line_is_read_as_modelscope_reads_it(case: Case) -> None:
    pictures = [modelscope.picture(columns, seed=columns) for columns in (70, 340, 410, 800)]
    pictures.append(modelscope.picture(200, rows=20))
    answers = case.recognizer().recognize(pictures)
    texts = [answer.text for answer in answers if isinstance(answer, Reading)]
    assert texts == [case.wanted(picture) for picture in pictures]
    assert all(len(set(text)) >= 5 for text in texts)


def test_a_line_longer_than_their_canvas_is_not_squeezed(case: Case) -> None:
    long = modelscope.picture(2600, rows=32)
    (answer,) = case.recognizer().recognize([long])
    assert isinstance(answer, Reading)
    assert len(answer.text) > 2 * len(case.wanted(long))
    if case.family is Family.CONVNEXT_VIT:
        # Two pieces see the first 552 pixels, whatever follows.
        assert answer.text[:100] == case.wanted(long[:, :780])[:100]


def test_the_graph_scores_as_torch_does(case: Case) -> None:
    assert 0 < case.imported.difference < 1e-4


def test_the_store_serves_what_was_imported(case: Case) -> None:
    manifest = ModelStore((case.models,)).find(case.name, Task.RECOGNIZE)
    verify(manifest)
    assert manifest.licence == "Apache-2.0"
    assert case.family in manifest.source
    assert manifest.details["form"]["canvas"]["pad"] == 0
    # The class without a symbol, and the symbol without a class.
    assert case.imported.left_out == (0 if case.family is Family.CRNN else 1)
    assert case.imported.classes == 7644 - case.imported.left_out


@pytest.mark.parametrize(
    ("name", "version"), [("Crnn", "1"), ("a/b", "1"), ("", "1"), ("a", "1/2")]
)
def test_what_cannot_name_a_model_is_refused(tmp_path: Path, name: str, version: str) -> None:
    with pytest.raises(OptionError, match="letters, digits"):
        import_recognizer(ImportPlan(tmp_path, None, tmp_path, name, version))


@pytest.mark.parametrize("prefix", ["recognizer.", "module.", "recognizer.module."])
def test_names_as_fine_tuning_leaves_them_are_taken(tmp_path: Path, prefix: str) -> None:
    state = modelscope.generated(modelscope.crnn_shapes(classes=20))
    torch.save({f"{prefix}{name}": v.half() for name, v in state.items()}, tmp_path / "w.pt")
    weights = read_weights(tmp_path / "w.pt")
    assert weights.classes == 20
    assert weights.family is Family.CRNN
    assert weights.state["cls.weight"].dtype is torch.float32


@pytest.mark.parametrize("family", list(Family))
def test_a_checkpoint_that_is_not_whole_is_refused_by_name(tmp_path: Path, family: Family) -> None:
    crnn = family is Family.CRNN
    shapes = modelscope.crnn_shapes(9) if crnn else modelscope.convnext_shapes(9)
    state = modelscope.generated(shapes)
    gone = "conv2.3.bias" if crnn else "vitstr.norm.bias"
    wrong = "conv4.0.weight" if crnn else "vitstr.blocks.11.attn.qkv.weight"
    del state[gone]
    state[wrong] = torch.zeros(3, 5)
    state["extra.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(IncompatibleModel) as refused:
        read_weights(tmp_path / "w.pt")
    detail = refused.value.detail
    assert f"no whole {family}" in detail
    assert f"missing {gone}" in detail
    assert "unexpected extra.weight" in detail
    assert f"{wrong} is [3, 5] instead of {list(shapes[wrong])}" in detail


def test_many_differences_are_counted(tmp_path: Path) -> None:
    state = modelscope.generated(modelscope.crnn_shapes(9))
    torch.save({k: v for k, v in state.items() if k.startswith("conv0")}, tmp_path / "w.pt")
    with pytest.raises(IncompatibleModel, match=r"missing cls\.weight, .* and \d+ more$"):
        read_weights(tmp_path / "w.pt")


class Foreign:
    """Something no file of weights holds."""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"our_nas_model.first_conv.weight": torch.zeros(2)}, "neither CRNN nor ConvNextViT"),
        ({"cls.weight": "text"}, "is no weight"),
        ([1, 2], "by name"),
        ({}, "by name"),
        (Foreign(), "more than weights"),
    ],
)
def test_what_holds_other_things_is_refused(tmp_path: Path, content: object, told: str) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(IncompatibleModel, match=told):
        read_weights(tmp_path / "w.pt")


def test_a_damaged_or_missing_file_is_refused(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"no weights at all")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(IncompatibleModel, match=name):
            read_weights(tmp_path / name)
    with pytest.raises(FileAccessError):
        read_weights(tmp_path / "missing")


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    state = modelscope.generated(modelscope.crnn_shapes(9))
    state["conv0.0.bias"][3] = float("nan")
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(IncompatibleModel, match=r"conv0\.0\.bias .* no finite"):
        read_weights(tmp_path / "w.pt")


def small(folder: Path, vocabulary: list[str], classes: int) -> ImportPlan:
    state = modelscope.generated(modelscope.crnn_shapes(classes))
    source = modelscope.save(state, folder / "source", tuple(vocabulary))
    return ImportPlan(source, None, folder / "models", "small", "1")


def test_a_vocabulary_of_another_length_is_refused(tmp_path: Path) -> None:
    plan = small(tmp_path, list("abc"), 9)
    with pytest.raises(IncompatibleModel, match=r"3 symbols; .* 9 classes, which takes 8"):
        import_recognizer(plan)
    assert not plan.folder.exists()


def test_a_version_stands_for_the_same_weights_for_ever(tmp_path: Path) -> None:
    plan = small(tmp_path, list("abc"), 4)
    first = import_recognizer(plan)
    assert import_recognizer(plan).manifest == first.manifest
    state = modelscope.generated(modelscope.crnn_shapes(4), seed=6)
    torch.save(state, plan.source / "pytorch_model.pt")
    with pytest.raises(ModelConflict, match="small@1"):
        import_recognizer(plan)
    second = import_recognizer(replace(plan, version="2"))
    assert second.manifest.sha256 != first.manifest.sha256


def test_of_a_symbol_with_two_classes_the_later_counts(tmp_path: Path) -> None:
    plan = small(tmp_path, [*"abcabd", " "], 8)
    weights = read_weights(plan.source / "pytorch_model.pt")
    kept, charset = importing.read_vocabulary(plan.source / "vocab.txt", weights)
    assert charset.symbols == tuple("cabd ")
    assert kept == [0, 3, 4, 5, 6, 7]
    assert import_recognizer(plan).left_out == 2
    content = json.loads((plan.folder / "small@1" / "manifest.json").read_text())
    assert content["dims"]["classes"] == 6


def test_what_is_no_vocabulary_is_refused(tmp_path: Path) -> None:
    plan = small(tmp_path, ["one", "two", "three"], 4)
    with pytest.raises(IncompatibleModel, match="one character a line"):
        import_recognizer(plan)
    (plan.source / "vocab.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(IncompatibleModel, match="UTF-8"):
        import_recognizer(plan)
    (plan.source / "vocab.txt").unlink()
    with pytest.raises(FileAccessError, match=r"vocab\.txt"):
        import_recognizer(plan)


def test_a_graph_that_scores_otherwise_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small(tmp_path, list("abc"), 4)
    monkeypatch.setattr(importing, "PARITY", 0.0)
    with pytest.raises(GateFailed):
        import_recognizer(plan)
    assert not plan.folder.exists()
