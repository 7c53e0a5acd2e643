"""Draws the lines that every model is tried with before it serves: `models/data/golden.npz`.

    python scripts/make_golden.py --fonts /usr/share/fonts --to src/shizi/models/data/golden.npz

Plain print in several faces, sizes and tones; what a model that is whole reads without a fault.
The texts are made up. The faces are chosen among those that are installed; they are not shipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from shizi.train.fonts import find_fonts

# (text, words of the face's name in the order they are wished for, size in pixels)
LINES = (
    ("北京市朝阳区建国路88号院3号楼", ("NotoSansCJK", "wqy-zenhei", "cwheib"), 32),
    ("增值税电子普通发票 金额合计：1,280.50元", ("NotoSerifCJK", "cwming", "uming"), 28),
    ("本合同一式两份，双方各执一份，具有同等效力。", ("wqy-microhei", "NotoSansCJK"), 30),
    ("上海至杭州 高铁二等座 检票口A12", ("NotoSansCJK", "wqy-zenhei"), 36),
    ("請於收到通知後七日內回覆", ("cwming", "NotoSerifCJK", "uming"), 34),
    ("The quick delivery of 24 boxes was confirmed on Monday.", ("LiberationSerif-Regular",), 32),
    ("Invoice No. 2024-0815  Total: $1,764.90", ("LiberationSans", "DejaVuSans"), 30),
    ("Customer service: 400-820-8820 (9:00-18:00)", ("DejaVuSans", "Lato-Regular"), 28),
)


def draw(text: str, font: Path, index: int, size: int, rng: Random) -> NDArray[np.uint8]:
    face = ImageFont.truetype(str(font), size, index=index)
    left, top, right, bottom = face.getbbox(text)
    margin = size // 5
    paper, ink = rng.randint(225, 255), rng.randint(0, 60)
    canvas = Image.new("L", (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin), paper)
    ImageDraw.Draw(canvas).text((margin - left, margin - top), text, ink, face)
    return np.asarray(canvas, np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    parser.add_argument("--to", type=Path, required=True)
    args = parser.parse_args()
    faces = find_fonts((args.fonts,))
    rng = Random(3)
    arrays: dict[str, NDArray[np.uint8]] = {}
    for number, (text, wishes, size) in enumerate(LINES):
        print_faces = [f for f in faces if f.style in ("sans", "serif") and len(f.files) == 1]
        able = [face for face in print_faces if face.covers(text)]
        wished = [f for wish in wishes for f in able if wish.lower() in f.name.lower()]
        face = (wished or able)[0]
        file, index, _ = face.files[0]
        print(f"{text}  {face.name}")
        arrays[f"line{number}"] = draw(text, Path(file), index, size, rng)
    np.savez_compressed(args.to, texts=np.array([text for text, _, _ in LINES]), **arrays)
    print(f"{args.to}: {args.to.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
