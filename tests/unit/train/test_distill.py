from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from shizi.core.errors import ConfigError  # noqa: E402
from shizi.nets.dbnet import DbDims  # noqa: E402
from shizi.train.crops import Crops, Example, read_examples  # noqa: E402
from shizi.train.distill import (  # noqa: E402
    DetectorRun,
    DetectorTrainer,
    judge,
    map_loss,
    train_detector,
)
from shizi.train.maps import MAP, PAGE  # noqa: E402

pytestmark = pytest.mark.torch
TINY = DbDims(widths=(8, 16, 16, 16, 16), depths=(1, 0, 0), neck=16, head=16)


def example(seed: int) -> Example:
    """A page of dark bars, whose cores a teacher marked."""
    rng = np.random.default_rng(seed)
    page, marks = np.full((160, 256), 230, np.uint8), np.zeros((160, 256), np.uint8)
    for top in range(14, 140, 28):
        left, right = int(rng.integers(5, 60)), int(rng.integers(150, 250))
        page[top : top + 14, left:right] = rng.integers(0, 90, (14, right - left))
        marks[top + 3 : top + 11, left + 3 : right - 3] = 255
    return Example(page, marks)


def write(folder: Path, count: int) -> Path:
    folder.mkdir()
    for k in range(count):
        made = example(k)
        cv2.imwrite(str(folder / f"{k:05d}-0{PAGE}"), made.page)
        cv2.imwrite(str(folder / f"{k:05d}-0{MAP}"), made.map)
    return folder


def run(folder: Path, **more: int | float) -> DetectorRun:
    return DetectorRun(folder, (), crops=64, side=64, batch=4, workers=0, **more)  # type: ignore[arg-type]


def test_a_crop_depends_on_its_number_alone() -> None:
    examples = [example(1), example(2)]
    crops, later = Crops(examples, 96, 40, seed=3), Crops(examples, 96, 400, seed=3)
    assert len(crops) == 40
    for number in (0, 7):
        page, marks = crops[number]
        assert page.shape == marks.shape == (1, 96, 96)
        assert -1 <= page.min() < page.max() <= 1
        assert torch.equal(page, later[number][0])
        assert torch.equal(marks, later[number][1])
    assert not torch.equal(crops[0][0], crops[1][0])
    assert not torch.equal(crops[0][0], Crops(examples, 96, 40, seed=4)[0][0])


def test_a_map_is_cut_where_its_page_is() -> None:
    """However a crop was turned and toned, what is marked looks other than what is not."""
    crops = Crops([example(1)], 128, 30, seed=1)
    for number in range(30):
        page, marks = crops[number]
        core, far = page[marks > 0.99], page[marks < 0.01]
        assert abs(core.mean() - far.mean()) > 0.25


def test_the_loss_is_least_where_the_maps_agree() -> None:
    maps = torch.zeros(1, 1, 32, 32)
    maps[..., 8:16, 4:28] = 1
    right, nothing = 9 * (2 * maps - 1), -9 * torch.ones_like(maps)
    shifted = torch.roll(right, 1, dims=2)
    assert map_loss(right, maps) < 0.02
    assert map_loss(nothing, maps) > map_loss(shifted, maps) > 20 * map_loss(right, maps)


def test_a_run_that_was_cut_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    crops = Crops([example(1)], 64, 64, seed=1)
    batches = list(DataLoader(crops, 4))[:6]
    straight, cut = (DetectorTrainer(run(tmp_path / name), TINY) for name in ("one", "two"))
    for batch in batches:
        straight.step(*batch)
    for batch in batches[:3]:
        cut.step(*batch)
    cut.save()
    torch.manual_seed(99)
    resumed = DetectorTrainer(run(tmp_path / "two"), TINY)
    assert resumed.step_count == 3
    for batch in batches[3:]:
        resumed.step(*batch)
    for name in ("net", "average"):
        states = [getattr(t, name).state_dict() for t in (straight, resumed)]
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_a_network_learns_to_mark_lines(tmp_path: Path) -> None:
    examples = [example(k) for k in range(6)]
    plan = DetectorRun(tmp_path, (), crops=1_280, side=96, batch=8, learning_rate=0.01, workers=0)
    trainer = DetectorTrainer(plan, TINY)
    assert judge(trainer.average, [example(9)]).f_measure < 0.5
    trainer.learn(examples, lambda _: None)
    assert trainer.step_count == trainer.steps == 160
    assert judge(trainer.average, [example(9), example(10)]).f_measure > 0.9


def test_a_run_from_a_folder_tells_how_alike_it_is(tmp_path: Path) -> None:
    plan = DetectorRun(
        tmp_path / "run", (write(tmp_path / "set", 3),), crops=4, side=32, batch=2, workers=0
    )
    told: list[str] = []
    likeness = train_detector(plan, told.append)
    assert likeness.theirs > 0
    assert '"f_measure"' in told[-1]
    assert (tmp_path / "run" / "last.pt").is_file()


def test_what_teaches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shizi train maps"):
        read_examples([tmp_path])
    one = write(tmp_path / "one", 1)
    with pytest.raises(ConfigError, match="too few"):
        train_detector(DetectorRun(tmp_path / "run", (one,)), lambda _: None)
    with pytest.raises(ConfigError, match="multiple of 32"):
        train_detector(DetectorRun(tmp_path / "run", (one,), side=100), lambda _: None)
    (one / f"00000-0{MAP}").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match="damaged"):
        read_examples([one])
