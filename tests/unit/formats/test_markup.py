"""hOCR and ALTO: their structure, their boxes, and that text cannot break out of them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from shizi.core.types import Character, Direction, PageResult, Quad, TextLine
from shizi.formats import FORMATS, Document
from tests.unit.formats.pages import line, page, stacked, written

HTML = "{http://www.w3.org/1999/xhtml}"
ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
HOSTILE = """</span><script>alert(1)</script> "'&amp; ]]> <!--"""

#: What ALTO 4.4 lets an element have: its children in their order, and the attributes it must have.
SCHEMA = {
    "alto": (["Description", "Layout"], []),
    "Description": (["MeasurementUnit", "sourceImageInformation", "Processing"], []),
    "MeasurementUnit": ([], []),
    "sourceImageInformation": (["fileName"], []),
    "fileName": ([], []),
    "Processing": (["processingSoftware"], ["ID"]),
    "processingSoftware": (["softwareName"], []),
    "softwareName": ([], []),
    "Layout": (["Page"], []),
    "Page": (["PrintSpace"], ["ID", "PHYSICAL_IMG_NR", "WIDTH", "HEIGHT"]),
    "PrintSpace": (["TextBlock"], ["HPOS", "VPOS", "WIDTH", "HEIGHT"]),
    "TextBlock": (["TextLine"], ["ID", "HPOS", "VPOS", "WIDTH", "HEIGHT"]),
    "TextLine": (["Shape", "String", "SP"], ["ID", "HPOS", "VPOS", "WIDTH", "HEIGHT"]),
    "Shape": (["Polygon"], []),
    "Polygon": ([], ["POINTS"]),
    "String": ([], ["ID", "CONTENT", "HPOS", "VPOS", "WIDTH", "HEIGHT", "WC"]),
    "SP": ([], ["HPOS", "VPOS", "WIDTH"]),
}


def alto_texts(data: bytes) -> list[str]:
    root = ElementTree.fromstring(data)
    return ["".join(_alto_pieces(node)) for node in root.iter(f"{ALTO}TextLine")]


def _alto_pieces(node: ElementTree.Element) -> Iterator[str]:
    for piece in node:
        if piece.tag == f"{ALTO}String":
            yield piece.attrib["CONTENT"]
        elif piece.tag == f"{ALTO}SP":
            yield " "


def hocr_texts(data: bytes) -> list[str]:
    root = ElementTree.fromstring(data)
    return ["".join(node.itertext()) for node in root.iterfind(f".//{HTML}span[@class='ocr_line']")]


def _pages() -> list[PageResult]:
    return [stacked("识字 reads text", "第二行"), page(number=2), stacked("末", number=3)]


def test_alto_has_the_structure_of_its_schema() -> None:
    root = ElementTree.fromstring(written("alto", *_pages()))

    for node in root.iter():
        name = node.tag.removeprefix(ALTO)
        children, needed = SCHEMA[name]
        places = [children.index(child.tag.removeprefix(ALTO)) for child in node]
        assert name == "TextLine" or places == sorted(places), name
        assert set(needed) <= set(node.attrib), name
        for attribute in ("HPOS", "VPOS", "WIDTH", "HEIGHT"):
            assert int(node.attrib.get(attribute, 0)) >= 0
    ids = [node.attrib["ID"] for node in root.iter() if "ID" in node.attrib]
    assert len(ids) == len(set(ids))
    # An ID of XML begins with a letter.
    assert all(re.fullmatch(r"[a-z]+(_[0-9]+)+", each) for each in ids)


@pytest.mark.parametrize("name", ["hocr", "alto"])
def test_ids_are_unique_over_several_documents(name: str) -> None:
    out = io.BytesIO()
    writer = FORMATS[name].open(out, several=True)
    for each in ("a.png", "b.png"):
        writer.begin(Document(each))
        writer.add(stacked("识字 text"))
        writer.end(0.1)
    writer.close()

    nodes = ElementTree.fromstring(out.getvalue()).iter()
    ids = [each for node in nodes for key, each in node.attrib.items() if key.lower() == "id"]
    assert len(ids) == len(set(ids)) > 6


def test_hocr_has_pages_paragraphs_lines_and_words() -> None:
    root = ElementTree.fromstring(written("hocr", *_pages()))

    pages = root.findall(f".//{HTML}div[@class='ocr_page']")
    assert [re.search(r"ppageno (\d+)", each.attrib["title"])[1] for each in pages] == [  # type: ignore[index]
        "0",
        "1",
        "2",
    ]
    first = pages[0].find(f"{HTML}p[@class='ocr_par']/{HTML}span[@class='ocr_line']")
    assert first is not None
    assert first.attrib["title"] == "bbox 10 40 410 64; x_wconf 99"
    assert [word.text for word in first] == ["识字", "reads", "text"]
    ids = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    assert len(ids) == len(set(ids))


def test_chinese_is_not_cut_into_words() -> None:
    data = written("hocr", stacked("中文不加空格"))

    assert hocr_texts(data) == ["中文不加空格"]
    assert alto_texts(written("alto", stacked("中文不加空格"))) == ["中文不加空格"]


@pytest.mark.parametrize("name", ["hocr", "alto"])
def test_text_and_names_cannot_break_out(name: str) -> None:
    data = written(name, stacked(HOSTILE), document=Document(f'{HOSTILE}".png'))

    assert b"<script" not in data
    (text,) = hocr_texts(data) if name == "hocr" else alto_texts(data)
    assert text == HOSTILE


@pytest.mark.parametrize("name", ["hocr", "alto"])
def test_what_xml_cannot_hold_is_replaced(name: str) -> None:
    data = written(name, stacked("a\x00\x1b\ufffe\ud800b"))

    (text,) = hocr_texts(data) if name == "hocr" else alto_texts(data)
    assert text == "a\ufffd\ufffd\ufffd\ufffdb"


def test_words_stand_where_their_characters_do() -> None:
    places = [(0, 20), (20, 40), (40, 60), (300, 320), (320, 400)]
    characters = tuple(
        Character(text, 0.5 + 0.1 * k, Quad.from_rect(10 + left, 20, 10 + right, 44))
        for k, (text, (left, right)) in enumerate(zip("ab cd", places, strict=True))
    )
    listed = TextLine("ab cd", 0.9, line("").box, characters=characters)

    root = ElementTree.fromstring(written("alto", page(listed)))

    first, second = root.iter(f"{ALTO}String")
    assert (first.attrib["HPOS"], first.attrib["WIDTH"]) == ("10", "40")
    assert (second.attrib["HPOS"], second.attrib["WIDTH"]) == ("310", "100")
    assert (first.attrib["WC"], second.attrib["WC"]) == ("0.5500", "0.8500")


def test_words_of_a_vertical_line_stand_below_each_other() -> None:
    vertical = line("上 下", left=50, top=0, width=20, height=100, direction=Direction.VERTICAL)

    root = ElementTree.fromstring(written("alto", page(vertical)))

    assert [node.attrib["BASEDIRECTION"] for node in root.iter(f"{ALTO}TextLine")] == ["ttb"]
    upper, lower = root.iter(f"{ALTO}String")
    assert upper.attrib["HPOS"] == lower.attrib["HPOS"] == "50"
    assert int(upper.attrib["VPOS"]) < int(lower.attrib["VPOS"])


def test_a_turned_line_tells_its_angle() -> None:
    turned = TextLine("up", 0.9, Quad(((10, 100), (10, 0), (30, 0), (30, 100))))

    assert b"textangle 90.0" in written("hocr", page(turned))
