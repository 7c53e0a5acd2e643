"""Draw the labelled pages of bench/rendered: run it after changing it, and commit what it draws.

    python scripts/make_bench_set.py

Every page is set in fonts that training never sees, says sentences written for it, and comes
clean and as a simulated scan or photo. Needs the Debian packages fonts-wqy-microhei,
fonts-cns11643-kai, fonts-cwtex-fs, fonts-lato, fonts-crosextra-caladea and fonts-hack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).resolve().parent.parent / "bench" / "rendered"
FONTS = Path("/usr/share/fonts/truetype")
FACES = {
    "hei": FONTS / "wqy/wqy-microhei.ttc",
    "kai": FONTS / "cns11643/TW-Kai-98_1.ttf",
    "fang": FONTS / "cwtex/cwfs.ttf",
    "lato": FONTS / "lato/Lato-Regular.ttf",
    "bold": FONTS / "lato/Lato-Bold.ttf",
    "serif": FONTS / "crosextra/Caladea-Regular.ttf",
    "italic": FONTS / "crosextra/Caladea-Italic.ttf",
    "mono": FONTS / "hack/Hack-Regular.ttf",
}
WIDTH, MARGIN = 860, 56

# A row: (face, size in pixels, cells), a cell (place in pixels from the left edge, text).
Row = tuple[str, int, tuple[tuple[int, str], ...]]


def row(face: str, size: int, *cells: tuple[int, str]) -> Row:
    return face, size, cells


def lines(face: str, size: int, *texts: str) -> tuple[Row, ...]:
    return tuple(row(face, size, (MARGIN, text)) for text in texts)


def goods(face: str, size: int, *items: str) -> tuple[Row, ...]:
    places = (MARGIN, 330, 480, 600, 720)
    cells = (tuple(zip(places, item.split("|"), strict=True)) for item in items)
    return tuple(row(face, size, *c) for c in cells)


PAGES: dict[str, tuple[Row, ...]] = {
    "delivery": (
        row("hei", 34, (300, "送货单")),
        row("hei", 19, (MARGIN, "客户：青杉林木业有限公司"), (540, "单号：SH-20260917-0386")),
        row(
            "hei",
            19,
            (MARGIN, "地址：丽水市莲都区溪口路 158 号 3 幢"),
            (540, "日期：2026年9月17日"),
        ),
        *goods(
            "hei",
            18,
            "品名及规格|数量|单位|单价|金额",
            "指接板 2440×1220×18mm|36|张|142.50|5,130.00",
            "白乳胶 D3 级 10kg|8|桶|96.00|768.00",
            "不锈钢合页 4寸|120|副|7.85|942.00",
            "砂纸 P240|15|盒|23.40|351.00",
            "封边条 0.8×22mm|400|米|1.15|460.00",
        ),
        row("hei", 20, (MARGIN, "合计（大写）：柒仟陆佰伍拾壹元整"), (600, "¥7,651.00")),
        row("hei", 17, (MARGIN, "收货时请当面点清，如有破损须在 24 小时内告知。")),
        row(
            "hei", 17, (MARGIN, "送货人：诸葛晓岚"), (330, "收货人："), (600, "电话：0578-2069 418")
        ),
    ),
    "receipt": (
        row("mono", 26, (250, "MORNING HARBOUR CAFE")),
        row("mono", 18, (300, "18 Quayside Lane, Unit 4B")),
        row("mono", 18, (MARGIN, "Receipt 004-77120"), (560, "21/09/2026 08:42")),
        row("mono", 19, (MARGIN, "2 x Flat White"), (680, "9.60")),
        row("mono", 19, (MARGIN, "1 x Almond Croissant"), (680, "4.25")),
        row("mono", 19, (MARGIN, "3 x Sparkling Water 0.5L"), (680, "8.10")),
        row("mono", 19, (MARGIN, "1 x Oat Milk (extra)"), (680, "0.70")),
        row("mono", 20, (MARGIN, "SUBTOTAL"), (670, "22.65")),
        row("mono", 20, (MARGIN, "Service 12.5%"), (680, "2.83")),
        row("mono", 24, (MARGIN, "TOTAL EUR"), (660, "25.48")),
        row("mono", 18, (MARGIN, "Card **** **** **** 3907"), (560, "Auth: K7Q2-M915")),
        row("mono", 18, (240, "Thank you, see you tomorrow!")),
    ),
    "letter": (
        row("lato", 18, (560, "Westbrook, 3 October 2026")),
        *lines(
            "serif",
            21,
            "Dear Ms. Okonkwo,",
            "Your crate of forty-two ceramic tiles left our kiln on Thursday, and the",
            "carrier promises that it will reach you within nine working days. Each",
            "tile is wrapped twice; please keep the inner paper until you have counted",
            "them, because the glaze number is printed on it and nowhere else.",
            "Two of the blue ones (Nos. 17 and 31) came out a shade darker than the",
            "sample. We think you will like them, but if not, we shall fire new ones",
            "at no cost: simply write to us before the end of the month.",
        ),
        *lines("italic", 21, "A small plate is in the box as well. It is a present, not an error."),
        *lines("serif", 21, "With kind regards,", "Tobias J. Fernsby", "Fernsby & Daughter"),
        *lines("lato", 16, "Tel. +44 20 7946 0912 | post@fernsby.example | VAT GB 417 2290 36"),
    ),
    "notice": (
        row("kai", 32, (270, "社区停水通知")),
        *lines(
            "kai",
            22,
            "各位居民：",
            "　　因望月街主管道更换阀门，定于本周六上午八点三十分至下午五点",
            "暂停供水，涉及枫林里一区至四区，共六百余户。",
            "　　请提前储备生活用水，并关紧家中龙头；老人独居的，可拨打社区",
            "值班电话，由志愿者送水上门。恢复供水后，初期水色可能微黄，放流",
            "几分钟即可澄清。给您带来不便，敬请谅解！",
        ),
        row("kai", 22, (520, "枫林里社区居委会")),
        row("kai", 22, (520, "二〇二六年九月二十二日")),
    ),
    "manual": (
        row("hei", 27, (MARGIN, "3.2 更换滤芯 Replacing the filter")),
        *lines(
            "hei",
            18,
            "1. 关闭进水阀，按住面板上的 RESET 键 5 秒，等待指示灯由蓝色变为橙色。",
            "2. 逆时针旋转滤芯外壳约 45°，取出旧滤芯（型号 CF-280B 或 CF-280C）。",
            "3. 用清水冲洗密封圈，确认无裂纹；密封圈尺寸为 Ø68 mm，厚 3.5 mm。",
            "4. 装入新滤芯，听到“咔哒”一声即到位，再缓慢打开进水阀。",
            "If water drips after ten minutes, turn the housing by another 5 degrees.",
            "Do not use tools; hand tight is tight enough. Max. pressure: 0.6 MPa.",
        ),
        *lines("mono", 17, "$ pumpctl --status --unit=2", "flow=1.84 L/min temp=21.6C err=0x00"),
    ),
    "traditional": (
        row("fang", 30, (300, "舊書店的下午")),
        *lines(
            "fang",
            22,
            "雨停以後，老闆把門口的書架擦乾，又將幾本發黃的詩集擺回原處。",
            "櫃檯旁邊的時鐘慢了一刻鐘，沒有人介意；來這裡的人都不趕時間。",
            "「這一本還有下冊嗎？」學生輕聲問，手裡捧著一部線裝的遊記。",
            "老闆搖搖頭，說：「等了十二年，還在等。」兩個人都笑了起來。",
        ),
        row("fang", 19, (560, "定價：新臺幣貳佰捌拾元")),
    ),
}

Label = dict[str, object]


def draw(rows: tuple[Row, ...]) -> tuple[np.ndarray, list[Label]]:
    """Set a page in black on white; gives it with the box and text of every cell."""
    height = 2 * MARGIN + sum(round(size * 1.75) for _, size, _ in rows)
    page = Image.new("RGB", (WIDTH, height), "white")
    brush = ImageDraw.Draw(page)
    labels: list[Label] = []
    top = MARGIN
    for face, size, cells in rows:
        font = ImageFont.truetype(str(FACES[face]), size)
        ascent, descent = font.getmetrics()
        for left, text in cells:
            brush.text((left, top), text, (28, 28, 32), font)
            first, _, last, _ = brush.textbbox((left, top), text.strip("　 "), font)
            first += round(font.getlength(text) - font.getlength(text.lstrip("　 ")))
            last = round(left + font.getlength(text))
            # The face's own line, cut to the em: what a detector's box would cover.
            above = top + max(0, ascent + descent - round(size * 1.2)) // 2
            box = [[first, above], [last, above], [last, above + round(size * 1.2)]]
            box.append([first, above + round(size * 1.2)])
            labels.append({"poly": box, "text": text.strip("　 "), "direction": "h"})
        top += round(size * 1.75)
    return np.asarray(page, np.uint8), labels


def move(labels: list[Label], matrix: np.ndarray) -> list[Label]:
    """Carry the boxes where a perspective map carries the page."""
    moved = []
    for label in labels:
        corners = np.asarray(label["poly"], np.float32)[None]
        poly = cv2.perspectiveTransform(corners, matrix)[0]
        moved.append({**label, "poly": np.round(poly, 1).tolist()})
    return moved


def warp(page: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = page.shape[:2]
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, (corners + target).astype(np.float32))
    edge = cv2.BORDER_REPLICATE
    return cv2.warpPerspective(page, matrix, (columns, rows), borderMode=edge), matrix


def scan(page: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lay the page on a scanner: a slight turn, pale ink, grain, hard JPEG."""
    turn = rng.uniform(0.4, 1.0) * page.shape[1] / 100 * rng.choice((-1, 1))
    turned, matrix = warp(page, np.array([[0, 0], [0, turn], [0, turn], [0, 0]]))
    pale = turned.astype(np.float32) * 0.72 + 62
    pale = cv2.GaussianBlur(pale, (0, 0), 0.7) + rng.normal(0, 5, turned.shape[:2])[:, :, None]
    return np.clip(pale, 0, 255).astype(np.uint8), matrix


def photo(page: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Photograph the page: perspective, a shadow, a lens not quite in focus, warm light."""
    span = page.shape[1]
    bent, matrix = warp(page, rng.uniform(-0.018, 0.018, (4, 2)) * span)
    rows, columns = page.shape[:2]
    across = np.linspace(0, 1, columns)[None, :] + np.linspace(0, 0.6, rows)[:, None]
    light = 1 - 0.45 / (1 + np.exp(-(across - rng.uniform(0.6, 1.0)) * 9))
    lit = cv2.GaussianBlur(bent, (0, 0), 0.9) * light[:, :, None] * np.array([1.0, 0.97, 0.9])
    return np.clip(lit + rng.normal(0, 3.5, lit.shape), 0, 255).astype(np.uint8), matrix


def variants(name: str, seed: int) -> Iterator[tuple[str, np.ndarray, list[Label]]]:
    page, labels = draw(PAGES[name])
    yield f"{name}_clean.png", page, labels
    rng = np.random.default_rng(seed)
    kind, damage = ("scan", scan) if seed % 2 else ("photo", photo)
    worn, matrix = damage(page, rng)
    yield f"{name}_{kind}.jpg", worn, move(labels, matrix)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    entries = []
    for seed, name in enumerate(PAGES, start=11):
        for image, page, labels in variants(name, seed):
            more = {"optimize": True} if image.endswith("png") else {"quality": 55}
            picture = Image.fromarray(page)
            if image.endswith("png"):
                picture = picture.convert("L").quantize(16)
            picture.save(FOLDER / image, **more)
            variant = image.rpartition("_")[2].partition(".")[0]
            entry = {"image": image, "variant": variant, "template": name, "lines": labels}
            entries.append(json.dumps(entry, ensure_ascii=False))
    (FOLDER / "manifest.jsonl").write_text("\n".join(entries) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
