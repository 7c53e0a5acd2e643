"""PDF files put together by hand."""

from __future__ import annotations

import hashlib
import io
import zlib

RED_BLOCK = "1 0 0 rg 10 20 30 40 re f"


def make_pdf(*pages: tuple[str, str], extra: tuple[bytes, ...] = ()) -> bytes:
    """Put a PDF together: one (media box, content stream) a page; extra objects come first."""
    first = 3 + len(extra)
    kids = " ".join(f"{first + 2 * k} 0 R" for k in range(len(pages)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    objects.append(f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode())
    objects.extend(extra)
    for k, (box, content) in enumerate(pages):
        resources = "<</XObject<</X 3 0 R>>>>" if extra else "<<>>"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Resources {resources}"
            f"/Contents {first + 2 * k + 1} 0 R>>".encode()
        )
        objects.append(f"<</Length {len(content)}>>stream\n{content}\nendstream".encode())
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, 2)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, table))
    return out.getvalue()


def picture_object(width: int, height: int, data: bytes) -> bytes:
    packed = zlib.compress(data)
    head = f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray"
    return (
        head.encode()
        + b"/BitsPerComponent 8/Filter/FlateDecode/Length %d>>stream\n%b\nendstream"
        % (
            len(packed),
            packed,
        )
    )


def encrypted_pdf() -> bytes:
    """A page with the red block, locked with the user password "shizi" (RC4, 40 bits)."""
    pad = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    user, identity, rights = b"shizi", b"0123456789abcdef", -4
    owner = rc4(hashlib.md5((b"owner" + pad)[:32]).digest()[:5], (user + pad)[:32])
    seed = (user + pad)[:32] + owner + rights.to_bytes(4, "little", signed=True) + identity
    key = hashlib.md5(seed).digest()[:5]
    check = rc4(key, pad)
    content = RED_BLOCK.encode()
    locked = rc4(hashlib.md5(key + (4).to_bytes(3, "little") + bytes(2)).digest()[:10], content)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 80]/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(locked), locked),
        b"<</Filter/Standard/V 1/R 2/P %d/O<%b>/U<%b>>>"
        % (rights, owner.hex().encode(), check.hex().encode()),
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % p for p in places)
    trailer = (
        b"trailer<</Size 6/Root 1 0 R/Encrypt 5 0 R/ID[<%b><%b>]>>\nstartxref\n%d\n%%%%EOF"
        % (
            identity.hex().encode(),
            identity.hex().encode(),
            len(out),
        )
    )
    return out + table + trailer


def rc4(key: bytes, data: bytes) -> bytes:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)
