"""Draws made-up invoices with their truth: a pure function of a seed and a number.

Half are clean, half look scanned: tilted a little, noisy, pale, saved as JPEG. Faces are those of
the Debian packages fonts-wqy-microhei, fonts-noto-cjk and fonts-dejavu-core.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

_TYPE = Path("/usr/share/fonts")
_HEI = str(_TYPE / "truetype/wqy/wqy-microhei.ttc")
_NOTO = str(_TYPE / "opentype/noto/NotoSansCJK-Regular.ttc")
_SONG = str(_TYPE / "opentype/noto/NotoSerifCJK-Regular.ttc")
_MONO = str(_TYPE / "truetype/dejavu/DejaVuSansMono.ttf")
_FACES = (_HEI, _NOTO, _SONG)
_WIDTH, _MARGIN = 1240, 80
_PLACES = "杭州 上海 北京 深圳 苏州 宁波 厦门 青岛 成都 武汉 长沙 南京 西安 天津 合肥".split()
_NAMES = "青杉 远帆 恒信 瑞丰 华彩 明德 金穗 云岭 博雅 东篱 海棠 星河 松涛 锦程 百川".split()
_TRADES = "贸易 科技 建材 食品 机电 纺织 印务 物流 木业 化工 器材 文具".split()
_GOODS = (
    "指接板 白乳胶 不锈钢合页 砂纸 封边条 复印纸 硒鼓 网线 插座面板 节能灯 螺栓 轴承 密封圈 传感器 "
    "滤芯 铜管 保温棉 油漆 手套 安全帽 工具箱 显示器 键盘 打印机 办公椅 文件柜 茶叶 矿泉水 面粉"
).split()
_KINDS = "2440×1220×18mm|10kg|4寸|P240|0.8×22mm|A4 70g|DN25|M8×30|220V 16A|24 V DC|500ml|Ø12".split(
    "|"
)
_UNITS = "张 桶 副 盒 米 箱 个 台 套 包 kg 件".split()
_DIGITS = "零壹贰叁肆伍陆柒捌玖"


@dataclass
class _Sheet:
    """A page while it is drawn."""

    rng: Random
    image: Image.Image
    pen: ImageDraw.ImageDraw
    lines: list[dict[str, object]] = field(default_factory=list)

    def write(self, x: float, y: float, text: str, face: str, size: int) -> float:
        """Write a line; gives where it ends."""
        font = ImageFont.truetype(face, size)
        self.pen.text((x, y), text, font=font, fill=(25, 25, 30))
        left, top, right, bottom = self.pen.textbbox((x, y), text, font=font)
        box = [[left, top], [right, top], [right, bottom], [left, bottom]]
        self.lines.append({"text": text, "poly": box, "direction": "h"})
        return float(right)


def _company(rng: Random) -> str:
    return f"{rng.choice(_PLACES)}{rng.choice(_NAMES)}{rng.choice(_TRADES)}有限公司"


def _in_words(cents: int) -> str:
    """Write an amount as invoices do, digit by digit."""
    return "".join(_DIGITS[int(digit)] for digit in str(cents // 100)) + "元整"


def _compose(rng: Random) -> _Sheet:
    rows = rng.randint(6, 16)
    image = Image.new("RGB", (_WIDTH, 620 + 46 * rows), (255, 255, 255))
    sheet = _Sheet(rng, image, ImageDraw.Draw(image))
    face = rng.choice(_FACES)
    place = rng.choice(_PLACES)
    sheet.write(430, 50, f"{place}增值税普通发票", face, 40)
    sheet.write(_MARGIN, 130, f"发票代码：{rng.randrange(10**11, 10**12)}", face, 24)
    sheet.write(480, 130, f"发票号码：{rng.randrange(10**7, 10**8)}", face, 24)
    date = f"{rng.randint(2019, 2026)}年{rng.randint(1, 12):02d}月{rng.randint(1, 28):02d}日"
    sheet.write(860, 130, f"开票日期：{date}", face, 24)
    for k, side in enumerate(("购买方", "销售方")):
        y = 190 + 80 * k
        sheet.write(_MARGIN, y, f"{side}：{_company(rng)}", face, 24)
        number = "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=18))
        sheet.write(700, y, f"税号：{number}", face, 24)
        street = f"{rng.choice(_PLACES)}路 {rng.randint(1, 999)} 号 {rng.randint(1, 30)} 幢"
        sheet.write(_MARGIN, y + 36, f"地址：{street}", face, 22)
        phone = f"0{rng.randint(10, 999)}-{rng.randrange(10**7, 10**8)}"
        sheet.write(700, y + 36, f"电话：{phone}", face, 22)
    total = _goods(sheet, face, 380, rows)
    y = 400 + 46 * (rows + 1)
    sheet.write(_MARGIN, y, f"价税合计（大写）：{_in_words(total)}", face, 24)
    sheet.write(900, y, f"¥{total / 100:,.2f}", face, 24)
    people = zip(("收款人", "复核", "开票人"), rng.sample(_NAMES, 3), strict=True)
    for k, (role, name) in enumerate(people):
        sheet.write(_MARGIN + 380 * k, y + 60, f"{role}：{name}", face, 22)
    sheet.write(_MARGIN, y + 110, f"Order No. SO-{rng.randrange(10**6):06d}", _MONO, 20)
    return sheet


def _goods(sheet: _Sheet, face: str, top: int, rows: int) -> int:
    """Draw the table; gives the sum in cents, rounded to whole units as the words say it."""
    rng = sheet.rng
    columns = (_MARGIN, 420, 640, 740, 860, 1020)
    for x, text in zip(columns, "货物名称 规格型号 单位 数量 单价 金额".split(), strict=True):
        sheet.write(x, top, text, face, 22)
    total = 0
    for k in range(rows):
        y = top + 46 * (k + 1)
        sheet.pen.line((_MARGIN, y - 10, _WIDTH - _MARGIN, y - 10), fill=(150, 150, 160))
        count, price = rng.randint(1, 400), rng.randint(50, 90_000)
        total += count * price
        cells = (
            rng.choice(_GOODS),
            rng.choice(_KINDS),
            rng.choice(_UNITS),
            str(count),
            f"{price / 100:.2f}",
            f"{count * price / 100:,.2f}",
        )
        for x, text in zip(columns, cells, strict=True):
            sheet.write(x, y, text, face, 22)
    return total // 100 * 100


def _scanned(image: np.ndarray, rng: Random) -> tuple[np.ndarray, np.ndarray]:
    """Tilt, pale and noise; gives the picture and the (2, 3) map of its points."""
    height, width = image.shape[:2]
    tilt = rng.uniform(-0.7, 0.7)
    moved = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1.0)
    turned = cv2.warpAffine(image, moved, (width, height), borderValue=(250, 250, 250))
    turned = cv2.GaussianBlur(turned, (0, 0), rng.uniform(0.4, 0.8))
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, rng.uniform(2, 7), turned.shape)
    gain, ground = rng.uniform(0.75, 0.95), rng.uniform(10, 40)
    return np.clip(turned * gain + ground + noise, 0, 255).astype(np.uint8), moved


def draw_invoice(folder: Path, seed: int, number: int) -> dict[str, object]:
    """Draw one invoice into a folder and give its entry of the manifest."""
    rng = Random(f"invoice/{seed}/{number}")
    sheet = _compose(rng)
    pixels = np.asarray(sheet.image)[:, :, ::-1]
    name, variant, options = f"{number:05d}.png", "clean", []
    if number % 2:
        pixels, moved = _scanned(pixels, rng)
        for line in sheet.lines:
            points = np.asarray(line["poly"], np.float64)
            line["poly"] = (points @ moved[:, :2].T + moved[:, 2]).round(1).tolist()
        name, variant = f"{number:05d}.jpg", "scan"
        options = [cv2.IMWRITE_JPEG_QUALITY, 85]
    cv2.imwrite(str(folder / name), pixels, options)
    return {"image": name, "variant": variant, "template": "invoice", "lines": sheet.lines}


def draw_slip(folder: Path, seed: int, number: int) -> None:
    """Draw a small slip of a few lines, for runs over very many files."""
    rng = Random(f"slip/{seed}/{number}")
    size = (rng.randrange(280, 520, 8), rng.randrange(120, 260, 8))
    image = Image.new("RGB", size, (255, 255, 255))
    pen = ImageDraw.Draw(image)
    for row in range(size[1] // 60):
        text = f"{rng.choice(_GOODS)} {rng.randrange(10 ** rng.randint(1, 5))}"
        pen.text((12, 12 + 50 * row), text, font=ImageFont.truetype(_HEI, 24), fill=(20, 20, 20))
    place = folder / f"{number // 1000:03d}"
    place.mkdir(exist_ok=True)
    image.save(place / f"{number:06d}.png", compress_level=1)


def make_invoices(folder: Path, seed: int, count: int) -> Iterator[int]:
    """Draw invoices and their manifest; gives the number of each when it is drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
        for number in range(count):
            entry = draw_invoice(folder, seed, number)
            manifest.write(json.dumps(entry, ensure_ascii=False) + "\n")
            yield number
