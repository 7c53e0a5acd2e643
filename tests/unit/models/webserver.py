"""A web server of files that can be told to fail."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Files:
    """What is served, and how.

    Attributes:
        content: by path.
        cut: bytes after which a connection ends, one entry an answer; none cut once it is empty.
        statuses: answered instead, one entry an answer.
        ranges: whether parts are served.
        redirects: by path, where to.
        asked: (path, Range header) of every request.
        url: of the server.
    """

    content: dict[str, bytes] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


def _handler(files: Files) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.asked.append((self.path, self.headers.get("Range")))
            if files.statuses:
                self.send_error(files.statuses.pop(0))
                return
            if self.path in files.redirects:
                self.send_response(302)
                self.send_header("Location", files.redirects[self.path])
                self.end_headers()
                return
            data = files.content.get(self.path)
            if data is None:
                self.send_error(404)
                return
            self._send(data)

        def _send(self, data: bytes) -> None:
            tag = f'"{hash(data)}"'
            place = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(place[1]) if place and files.ranges else 0
            if start and self.headers.get("If-Range") != tag:
                start = 0
            if start > len(data):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            rest = data[start:]
            self.wfile.write(rest[: files.cut.pop(0)] if files.cut else rest)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that has enough closes its connection."""


@contextmanager
def serving_files(**content: bytes) -> Iterator[Files]:
    """Serve files on a free port until the block ends."""
    files = Files({"/" + path: data for path, data in content.items()})
    with _Server(("127.0.0.1", 0), _handler(files)) as server:
        files.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield files
        finally:
            server.shutdown()
            thread.join()
