"""Takes the unseen text of an earlier reading off a PDF page, where a new one takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pikepdf
from pikepdf import Name

_UNSEEN: Final = 3
_SHOWING: Final = frozenset({"Tj", "TJ", "'", '"'})
_FORM_DEPTH: Final = 3


def drop_unseen_text(target: pikepdf.Pdf, shown: pikepdf.Page) -> None:
    """Take text out of a page that it holds without showing it.

    Text that is seen stays, whatever it copies as. A stream that has no unseen text stays as it is,
    byte for byte; a form that other pages show as well is changed for all of them.

    Args:
        target: the document.
        shown: the page.
    """
    content = _without_unseen(shown.obj)
    if content is not None:
        shown.Contents = target.make_stream(content)
    for form in _forms(shown.resources, _FORM_DEPTH):
        content = _without_unseen(form)
        if content is not None:
            form.write(content)


def _forms(resources: pikepdf.Object, depth: int) -> Iterator[pikepdf.Object]:
    if depth == 0 or "/XObject" not in resources:
        return
    for item in resources.XObject.as_dict().values():
        if isinstance(item, pikepdf.Stream) and item.get("/Subtype") == Name.Form:
            yield item
            if "/Resources" in item:
                yield from _forms(item.Resources, depth - 1)


def _without_unseen(stream: pikepdf.Object) -> bytes | None:
    """Give content without its unseen text; None where there is none of it."""
    kept: list[pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage] = []
    mode, outer = 0, []
    dropped = False
    for instruction in pikepdf.parse_content_stream(stream):
        name = str(instruction.operator)
        if name == "q":
            outer.append(mode)
        elif name == "Q" and outer:
            mode = outer.pop()
        elif name == "Tr" and instruction.operands:
            mode = int(instruction.operands[0])
        if mode == _UNSEEN and name in _SHOWING:
            dropped = True
        else:
            kept.append(instruction)
    return pikepdf.unparse_content_stream(kept) if dropped else None
