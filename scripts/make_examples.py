"""Draw the pictures of examples/: run it after changing it, and commit what it draws.

    python scripts/make_examples.py

Needs the Debian package fonts-noto-cjk.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).resolve().parent.parent / "examples"
SANS = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
BOLD = "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"
SIMPLIFIED = 2  # the face of the collection that has simplified forms

WIDTH, MARGIN = 720, 48
INK, RULE = (34, 34, 40), (190, 188, 184)

# Each row: its text on the left, that on the right or none, size in pixels, whether bold.
RECEIPT = (
    ("杭州西溪书店", None, 38, True),
    ("Xixi Bookshop, Hangzhou", None, 24, False),
    ("---", None, 0, False),
    ("单号 Order", "XS-20260318-0427", 24, False),
    ("日期 Date", "2026-03-18 14:35", 24, False),
    ("收银员 Cashier", "李晓梅", 24, False),
    ("---", None, 0, False),
    ("现代汉语词典（第7版）", "¥109.00", 26, False),
    ("A Brief History of Time", "¥45.80", 26, False),
    ("笔记本 A5 × 3", "¥29.70", 26, False),
    ("---", None, 0, False),
    ("小计 Subtotal", "¥184.50", 26, False),
    ("会员折扣 Discount", "-¥18.45", 26, False),
    ("合计 TOTAL", "¥166.05", 34, True),
    ("---", None, 0, False),
    ("电话 0571-8800 2266", None, 24, False),
    ("谢谢惠顾，欢迎再来！", None, 24, False),
    ("Thank you, see you again.", None, 24, False),
)


def draw_receipt() -> Image.Image:
    """Draw a bookshop's receipt, Chinese and English mixed."""
    heights = [26 if text == "---" else round(size * 1.7) for text, _, size, _ in RECEIPT]
    image = Image.new("RGB", (WIDTH, sum(heights) + 2 * MARGIN), (252, 251, 248))
    pen = ImageDraw.Draw(image)
    top = MARGIN
    for (left, right, size, bold), height in zip(RECEIPT, heights, strict=True):
        middle = top + height / 2
        if left == "---":
            pen.line((MARGIN, middle, WIDTH - MARGIN, middle), fill=RULE, width=2)
        else:
            font = ImageFont.truetype(BOLD if bold else SANS, size, index=SIMPLIFIED)
            centered = right is None
            place = (WIDTH / 2, middle) if centered else (MARGIN, middle)
            pen.text(place, left, INK, font, anchor="mm" if centered else "lm")
            if right is not None:
                pen.text((WIDTH - MARGIN, middle), right, INK, font, anchor="rm")
        top += height
    return image


def receipt_lines() -> list[str]:
    """List the texts of the receipt as they stand, left before right."""
    texts = [text for left, right, _, _ in RECEIPT for text in (left, right)]
    return [text for text in texts if text not in (None, "---")]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    draw_receipt().save(FOLDER / "receipt.png", optimize=True)
    (FOLDER / "receipt.txt").write_text("\n".join(receipt_lines()) + "\n", encoding="utf-8")
