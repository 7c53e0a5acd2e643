"""Results as files: one module a format, and one table of them.

    from shizi.formats import FORMATS, Document

    with open("out.csv", "wb") as file:
        writer = FORMATS["csv"].open(file)
        writer.begin(Document("scan.pdf"))
        for page in reader.read_pages("scan.pdf"):
            writer.add(page)
        writer.end(total_time_s=1.2)
        writer.close()

`write_document` does all of it for one document. Every writer but those of objects writes pages as
they come, so that a long document never gathers in memory.
"""

from __future__ import annotations

from shizi.formats.catalog import FORMATS, Format, format_of, write_document
from shizi.formats.response import (
    SCHEMA,
    Json,
    box_to_list,
    dict_to_json,
    dict_to_jsonl,
    dict_to_pages,
    error_to_dict,
    failure_to_dict,
    pages_to_dict,
    pages_to_text,
)
from shizi.formats.writing import Document, PdfSource, PictureSource, Writer

__all__ = [
    "FORMATS",
    "SCHEMA",
    "Document",
    "Format",
    "Json",
    "PdfSource",
    "PictureSource",
    "Writer",
    "box_to_list",
    "dict_to_json",
    "dict_to_jsonl",
    "dict_to_pages",
    "error_to_dict",
    "failure_to_dict",
    "format_of",
    "pages_to_dict",
    "pages_to_text",
    "write_document",
]
