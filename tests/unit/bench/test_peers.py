from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from shizi.bench import peers
from shizi.bench.peers import ShiziPeer, check_peer, open_peer, tsv_to_lines
from shizi.core.errors import ConfigError, ModelError, OptionError

HEAD = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)


def word(line: int, left: int, text: str, conf: float = 90.0) -> str:
    return f"5\t1\t1\t1\t{line}\t1\t{left}\t{10 * line}\t20\t8\t{conf}\t{text}"


def test_words_of_a_line_are_joined_with_their_box() -> None:
    table = "\n".join([HEAD, word(1, 10, "Good"), word(1, 40, "day"), word(2, 10, "Bye", 50)])
    first, second = tsv_to_lines(table)
    assert first.text == "Good day"
    assert first.box.bounds == (10, 10, 60, 18)
    assert (second.text, second.confidence) == ("Bye", 0.5)


def test_chinese_words_are_joined_without_spaces() -> None:
    table = "\n".join([HEAD, word(1, 10, "识"), word(1, 30, "字"), word(1, 50, "OCR")])
    assert [line.text for line in tsv_to_lines(table)] == ["识字 OCR"]


def test_rows_that_are_no_words_are_left_out() -> None:
    empty = "4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t"
    quote = word(1, 0, '"')
    assert [x.text for x in tsv_to_lines("\n".join([HEAD, empty, word(1, 0, " "), quote]))] == ['"']
    assert tsv_to_lines("") == []


def test_an_unknown_peer_is_named_with_the_nearest() -> None:
    with pytest.raises(OptionError, match="tesseract"):
        open_peer("tesserakt", 1)
    for name in (
        "shizi:",
        "shizi+",
        "shizi@fast+dbnet-s",
        "rapidocr:small",
        "",
        "shizi@",
        "shizi@best",
        "rapidocr@fast",
        "shizi/wide",
    ):
        with pytest.raises(OptionError):
            check_peer(name)


@pytest.mark.parametrize(
    ("name", "advice"), [("rapidocr", "pip install"), ("tesseract", "apt-get install")]
)
def test_a_peer_that_is_not_there_is_told_with_the_way_to_get_it(
    name: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers.shutil, "which", lambda _: None)
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=f"not installed: {advice}"):
        open_peer(name, 1)


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_a_failed_run_of_tesseract_is_no_page_without_text(tmp_path: Path) -> None:
    peer = open_peer("tesseract", 1)
    with pytest.raises(ModelError, match="status 1"):
        peer.read_page(tmp_path / "missing.png")


def test_shizi_may_look_twice() -> None:
    peer = open_peer("shizi@balanced", 1)
    assert isinstance(peer, ShiziPeer)
    # The second recognizer counts among the models.
    assert peer.model_bytes() > 20e6 + 7e6


def test_shizi_may_find_lines_with_another_detector() -> None:
    small, large = (
        open_peer(f"shizi:crnn-s+{name}@fast", 1) for name in ("dbnet-s", "ppocr-v6-det-small")
    )
    assert small.model_bytes() < large.model_bytes() - 5e6


def test_shizi_may_decode_greedily() -> None:
    for name in ("shizi/greedy", "shizi@fast/beam", "shizi:crnn-s@fast/greedy"):
        assert isinstance(open_peer(name, 1), ShiziPeer)


def test_shizi_reads_pages_and_crops(tmp_path: Path) -> None:
    peer = open_peer("shizi:crnn-s", 1)
    assert isinstance(peer, ShiziPeer)
    assert peer.read_crops([np.full((32, 80, 3), 255, np.uint8)] * 2) == [("", 0.0)] * 2
    assert 10e6 < peer.model_bytes() < 22e6
    example = Path(__file__).parents[3] / "examples" / "receipt.png"
    assert len(peer.read_page(example)) > 10
    assert peer.peak_bytes() > 50e6
