"""Fit the calibration of a recognizer and write it into its manifest.

    python scripts/calibrate.py MODEL_FOLDER [--lines 1500] [--fonts FOLDER]

Confidences are fitted on rendered lines in printed faces that training leaves out, from the
sentences of bench/texts: a third of them clean, a third at half damage, a third at full damage.
The network is asked as it is served; the curves it has already are left aside.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from measure_held_out import lines_of, own_texts
from rapidfuzz.distance import Levenshtein

from shizi.bench.score import normalized
from shizi.models.calibration import Calibration, Calibrations
from shizi.models.opening import open_language_model, open_recognizer
from shizi.models.recognizer import Decoding, Reading, Recognizer
from shizi.models.store import ModelStore, read_charset, read_manifest, write_manifest
from shizi.train.calibrate import fit_calibration
from shizi.train.fonts import find_fonts
from shizi.train.recipe import SYSTEM_FONTS
from shizi.train.samples import Sample

STRENGTHS = (0.0, 0.5, 1.0)


def main() -> None:
    """Read, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="MODEL_FOLDER")
    parser.add_argument("--lines", type=int, default=1_500, help="of each strength of damage")
    parser.add_argument("--fonts", type=Path, action="append", default=[], help="more fonts")
    parser.add_argument("--font-cache", type=Path)
    args = parser.parse_args()
    path = args.folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content.pop("calibration", None)
    write_manifest(path, content)
    manifest = read_manifest(path)
    charset = read_charset(manifest)
    store = ModelStore((args.folder.parent,))
    recognizer = open_recognizer(store, manifest.name, 2, open_language_model(store))
    found = find_fonts((*map(Path, SYSTEM_FONTS), *args.fonts), args.font_cache)
    faces = [f for f in found if f.held_out and f.style != "hand" and "Ext" not in f.name]
    samples = [
        sample
        for strength in STRENGTHS
        for sample in lines_of(faces, own_texts(charset), charset, args.lines, strength)
    ]
    fitted = [fit(recognizer, Decoding(greedy), samples) for greedy in (True, False)]
    content["calibration"] = Calibrations(*fitted).to_dict()
    write_manifest(path, content)
    print(f"{len(samples)} lines: {content['calibration']}")


def fit(recognizer: Recognizer, decoding: Decoding, samples: list[Sample]) -> Calibration:
    """Fit both curves of one decoder."""
    symbols: list[tuple[float, bool]] = []
    lines: list[tuple[float, bool]] = []
    answers = recognizer.recognize([sample.strip for sample in samples], decoding)
    for sample, answer in zip(samples, answers, strict=True):
        if isinstance(answer, Reading) and answer.text:
            product = math.prod(symbol.confidence for symbol in answer.symbols)
            lines.append((product, normalized(sample.text) == normalized(answer.text)))
            symbols += right_symbols(sample.text, answer)
    return fit_calibration(symbols, lines)


def right_symbols(truth: str, reading: Reading) -> list[tuple[float, bool]]:
    """Tell of each symbol whether it is one the truth has at its place."""
    right = [False] * len(reading.symbols)
    for step in Levenshtein.opcodes(reading.text, truth):
        if step.tag == "equal":
            right[step.src_start : step.src_end] = [True] * (step.src_end - step.src_start)
    return [(s.confidence, ok) for s, ok in zip(reading.symbols, right, strict=True)]


if __name__ == "__main__":
    main()
