"""Uploads made to harm: each is refused or survived, and the next picture is read."""

from __future__ import annotations

import http.client
import io
import json
import struct
import threading
import zlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.marks import ONE_WORKER
from tests.program import RECEIPT, Service
from tests.unit.imaging.documents import make_pdf

pytestmark = pytest.mark.acceptance

LONG_S = 120.0
REFUSED = {400, 408, 413, 415, 422, 504}


def _post(service: Service, body: bytes, kind: str = "application/octet-stream") -> int:
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=LONG_S)
    try:
        connection.request("POST", "/v1/ocr?timeout=20", body, {"Content-Type": kind})
        answer = connection.getresponse()
        json.loads(answer.read())
        return answer.status
    finally:
        connection.close()


@pytest.fixture(autouse=True)
def _still_reads(service: Service) -> Iterator[None]:
    """Whatever a test sent, the next picture is read."""
    yield
    assert _post(service, RECEIPT.read_bytes()) == 200


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def _png(width: int, height: int, rows: int) -> bytes:
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes((1 + 3 * width) * rows), 9)
    parts = _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@ONE_WORKER
def test_a_picture_that_announces_billions_of_pixels(service: Service) -> None:
    assert _post(service, _png(60_000, 60_000, 1)) == 413


@ONE_WORKER
def test_a_picture_that_holds_less_than_it_announces(service: Service) -> None:
    # Pillow takes a stream that ends well for whole; the missing rows are black.
    assert _post(service, _png(9_000, 9_000, 3)) in {200, 422}


@ONE_WORKER
def test_kilobytes_that_become_a_hundred_million_pixels(service: Service) -> None:
    assert _post(service, _png(9_999, 9_999, 9_999)) == 200


@ONE_WORKER
def test_a_picture_that_takes_long_to_decode(service: Service) -> None:
    picture = Image.radial_gradient("L").resize((9_900, 9_900)).convert("RGB")
    file = io.BytesIO()
    picture.save(file, "WEBP", method=0)

    assert _post(service, file.getvalue()) in {200, 504}


@ONE_WORKER
@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (1, 1), (3, 3)])
def test_a_picture_of_an_odd_shape(service: Service, size: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new("RGB", size, "white").save(file, "PNG")

    assert _post(service, file.getvalue()) == 200


@ONE_WORKER
def test_a_document_of_more_pages_than_are_read(service: Service) -> None:
    file = io.BytesIO()
    page = Image.new("L", (20, 20), 255)
    page.save(file, "TIFF", save_all=True, append_images=[page] * 2_500)

    assert _post(service, file.getvalue()) == 413


@ONE_WORKER
def test_a_page_as_large_as_a_field(service: Service) -> None:
    assert _post(service, make_pdf(("0 0 14400 14400", ""))) in {200, *REFUSED}


def test_a_multipart_body_of_thousands_of_parts(service: Service) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx\r\n'
    body = part * 5_000 + b"--x--\r\n"

    assert _post(service, body, "multipart/form-data; boundary=x") in REFUSED


def test_json_that_is_deep(service: Service) -> None:
    assert _post(service, b"[" * 100_000, "application/json") in REFUSED


@ONE_WORKER
def test_every_prefix_of_a_picture(service: Service) -> None:
    picture = RECEIPT.read_bytes()
    statuses = {_post(service, picture[:size]) for size in (1, 9, 100, 3_000, len(picture) - 20)}

    assert statuses <= REFUSED | {200}


def test_many_of_them_at_once(service: Service) -> None:
    pictures = [_png(60_000, 60_000, 1), _png(9_000, 9_000, 3), b"words", RECEIPT.read_bytes()]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda p=picture: statuses.append(_post(service, p)))  # type: ignore[misc]
        for picture in pictures * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)

    assert len(statuses) == len(threads)
    assert set(statuses) <= REFUSED | {200}
    assert statuses.count(200) >= 3
