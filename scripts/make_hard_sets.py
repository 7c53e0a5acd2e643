"""Make the hard sets: notes in handwriting-like faces, and pictures like street signs.

    python scripts/make_hard_sets.py OUT --fonts FOLDER [--pictures 60] [--seed 1]

OUT gets `notes/` and `signs/`, each in the form `shizi bench` takes. Faces are those kept out of
training, of the system's fonts and of what `scripts/fetch_fonts` has fetched; texts are those of
bench/texts. A face that looks like handwriting is not handwriting: every a is the same a. What is
measured here is how a reader bears irregular strokes, not how it reads people's hands.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

import cv2
import numpy as np
from measure_held_out import TEXTS

from shizi.train.fonts import FontFace, find_fonts
from shizi.train.recipe import SYSTEM_FONTS
from shizi.train.render import draw_line

SIGN_COLORS = (
    ((32, 60, 140), (245, 245, 245)),
    ((20, 110, 60), (250, 250, 250)),
    ((170, 25, 30), (255, 240, 200)),
    ((245, 200, 40), (25, 25, 25)),
    ((240, 240, 235), (30, 30, 40)),
    ((70, 50, 40), (235, 215, 160)),
)


def main() -> None:
    """Draw both sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fonts", type=Path, action="append", default=[])
    parser.add_argument("--font-cache", type=Path)
    parser.add_argument("--pictures", type=int, default=60, help="of each set")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    faces = find_fonts((*map(Path, SYSTEM_FONTS), *args.fonts), args.font_cache)
    held_out = [f for f in faces if f.held_out and (f.chinese or "Ext" not in f.name)]
    hands = [f for f in held_out if f.style == "hand"]
    printed = [f for f in held_out if f.style != "hand"]
    for name, draw, chosen in (("notes", note, hands), ("signs", sign, printed)):
        folder = args.out / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
            for number in range(args.pictures):
                rng = Random(f"{args.seed}/{name}/{number}")
                image, lines = draw(chosen, rng)
                file = f"{number:04d}.jpg"
                cv2.imwrite(str(folder / file), image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
                entry = {"image": file, "variant": name, "template": name, "lines": lines}
                manifest.write(json.dumps(entry, ensure_ascii=False) + "\n")
        print(f"{folder}: {args.pictures} pictures")


def texts(kind: str) -> list[str]:
    return (TEXTS / f"{kind}.txt").read_text(encoding="utf-8").splitlines()


def note(faces: list[FontFace], rng: Random) -> tuple[np.ndarray, list[dict[str, object]]]:
    """Write six to nine lines of one language on a sheet, and bend everything."""
    face = rng.choice(faces)
    pool = texts(rng.choice(("zh", "names"))) if face.chinese else texts("en")
    mask, places = _column(face, [_short(rng, rng.choice(pool)) for _ in range(9)], 44, 1.7, rng)
    rows, columns = mask.shape
    grain = np.random.default_rng(rng.getrandbits(32))
    across, along = (_waves(rows, columns, 5.0, grain) for _ in range(2))
    grid_y, grid_x = np.mgrid[:rows, :columns].astype(np.float32)
    bent = cv2.remap(mask, grid_x + along, grid_y + across, cv2.INTER_LINEAR, borderValue=0)
    paper = np.full((rows, columns, 3), rng.randint(215, 252), np.float32)
    if rng.random() < 0.5:
        paper[:: rng.randint(60, 80)] -= 45
    pen = np.array(rng.choice(((20, 25, 90), (25, 25, 30), (60, 60, 65))), np.float32)
    image = paper + (pen - paper) * (bent.astype(np.float32) / 255)[..., None] * 0.92
    return _photograph(image, places, rng, 0.03, grain)


def sign(faces: list[FontFace], rng: Random) -> tuple[np.ndarray, list[dict[str, object]]]:
    """Paint one to three short lines on a board, and take a picture from the side."""
    face = rng.choice(faces)
    pool = texts("names") if face.chinese else [t.upper() for t in texts("en")]
    wanted = [_short(rng, rng.choice(pool), 12) for _ in range(3)]
    mask, places = _column(face, wanted[: rng.randint(1, 3)], rng.choice((48, 64, 80)), 1.5, rng)
    board, letters = (np.array(color, np.float32) for color in rng.choice(SIGN_COLORS))
    rows, columns = mask.shape
    image = board + (letters - board) * (mask.astype(np.float32) / 255)[..., None]
    grain = np.random.default_rng(rng.getrandbits(32))
    light = np.linspace(rng.uniform(0.45, 1.0), rng.uniform(0.7, 1.15), columns, dtype=np.float32)
    image = image * light[None, :, None]
    if rng.random() < 0.4:
        # A lamp or the sky in the paint.
        y, x = np.mgrid[:rows, :columns].astype(np.float32)
        away = np.hypot(x - rng.random() * columns, y - rng.random() * rows)
        image += (110 * np.exp(-((away / (0.25 * columns)) ** 2)))[..., None]
    return _photograph(image, places, rng, 0.14, grain)


def _short(rng: Random, text: str, longest: int = 26) -> str:
    if text[0] >= "\u3400":
        return text[: rng.randint(4, max(5, longest * 2 // 3))]
    words = text.split()
    return " ".join(words[: rng.randint(1, max(1, longest // 6))])


def _column(
    face: FontFace, wanted: list[str], size: int, leading: float, rng: Random
) -> tuple[np.ndarray, list[tuple[int, int, int, int, str]]]:
    """Draw lines below each other; gives the ink and each line's left, top, right, bottom."""
    drawn = [(text, draw_line(face, text, size, rng)) for text in wanted if face.covers(text)]
    inks = [(text, ink) for text, ink in drawn if ink is not None]
    step = round(size * leading)
    width = max([ink.right - ink.left for _, ink in inks], default=size) + 4 * size
    mask = np.zeros((step * max(1, len(inks)) + 3 * size, width), np.uint8)
    places = []
    for k, (text, ink) in enumerate(inks):
        part = ink.mask[:, ink.left : ink.right]
        top, left = size + k * step, round(size * rng.uniform(1.0, 2.5))
        room = mask[max(0, top - ink.top) :, left : left + part.shape[1]]
        shown = part[max(0, ink.top - top) :][: room.shape[0], : room.shape[1]]
        room[: shown.shape[0], : shown.shape[1]] = np.maximum(
            room[: shown.shape[0], : shown.shape[1]], shown
        )
        places.append((left, top, left + part.shape[1], top + ink.bottom - ink.top, text))
    return mask, places


def _waves(rows: int, columns: int, reach: float, grain: np.random.Generator) -> np.ndarray:
    """Give a smooth field of shifts in pixels: slow waves of lines, fast ones of strokes."""
    slow = cv2.GaussianBlur(grain.standard_normal((rows, columns)).astype(np.float32), (0, 0), 40)
    fast = cv2.GaussianBlur(grain.standard_normal((rows, columns)).astype(np.float32), (0, 0), 9)
    slow, fast = (field / (field.std() + 1e-6) for field in (slow, fast))
    return np.asarray(reach * slow + 0.35 * reach * fast, np.float32)


def _photograph(
    image: np.ndarray,
    places: list[tuple[int, int, int, int, str]],
    rng: Random,
    tilt: float,
    grain: np.random.Generator,
) -> tuple[np.ndarray, list[dict[str, object]]]:
    """Take a picture from aside: corners moved, blur, grain, sometimes few pixels."""
    rows, columns = image.shape[:2]
    edge = round(0.12 * max(rows, columns))
    image = cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) + edge
    reach = tilt * rows
    moved = corners + np.array(
        [[rng.uniform(-reach, reach) for _ in range(2)] for _ in range(4)], np.float32
    )
    scale = rng.choice((0.5, 0.75, 1.0))
    matrix = np.diag([scale, scale, 1]) @ cv2.getPerspectiveTransform(corners, moved)
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    seen = cv2.warpPerspective(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.4, 1.4))
    seen = seen + grain.standard_normal(seen.shape) * rng.uniform(2, 9)
    lines: list[dict[str, object]] = []
    for left, top, right, bottom, text in places:
        box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
        poly = cv2.perspectiveTransform((box + edge)[None], matrix)[0]
        lines.append({"poly": poly.round(1).tolist(), "text": text, "direction": "h"})
    return np.clip(seen, 0, 255).astype(np.uint8), lines


if __name__ == "__main__":
    main()
