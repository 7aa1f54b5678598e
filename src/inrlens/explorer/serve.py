"""A bundle's folder on this machine's own address, and nothing else of the disk."""

import contextlib
import os
import re
import socketserver
import stat
import sys
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import unquote

from inrlens.errors import InputError
from inrlens.explorer.folder import PAGE_FILE, data_files, page_files, read_manifest, regular_file
from inrlens.explorer.manifest import MANIFEST_FILE
from inrlens.explorer.pages import policy

ADDRESS = "127.0.0.1"
SILENCE = 20.0
"""Seconds after which a connection that sends nothing is dropped."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
}
_FRAMES = "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*"
"""Notebooks on the same machine may show the page inside their own."""
_SENTENCES = {
    HTTPStatus.BAD_REQUEST: "This request cannot be understood.",
    HTTPStatus.NOT_FOUND: "There is no such file in this explorer.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Files can be read here, with GET and HEAD, and nothing else.",
    HTTPStatus.MISDIRECTED_REQUEST: "This explorer answers on 127.0.0.1 and localhost alone: open the address that "
    "inrlens explore printed.",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "The file does not reach as far as that range.",
}


class Server:
    """Serves one bundle's folder on 127.0.0.1 from a thread of its own, until ``close`` or the end of a ``with`` block.

    What can be asked for is decided at the start: the page, its scripts and styles, the manifest and the files that it
    names, each a regular file inside the folder that no symbolic link leads to.

    Raises:
        InputError: where the folder holds no page, or the port is taken.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        files = _table(Path(folder))
        if PAGE_FILE not in files:
            raise InputError(f"{Path(folder) / PAGE_FILE} is missing: write it again with inrlens explore RUN.")
        try:
            self._server = _Listener((ADDRESS, port), partial(_Handler, files, f"{policy()}; {_FRAMES}"))
        except OSError as error:
            raise InputError(
                f"port {port} of {ADDRESS} cannot be used ({error.strerror or error}): give another --port, or none."
            ) from error
        self.port = int(self._server.server_address[1])
        self.url = f"http://{ADDRESS}:{self.port}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="inrlens-explorer", daemon=True
        )
        self._thread.start()

    def wait(self) -> None:
        """Returns once the server is closed; Ctrl-C is heard meanwhile."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def close(self) -> None:
        """Stops listening; a second call does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()


def _table(folder: Path) -> dict[str, Path]:
    """Everything that can be asked for, by its path in a URL without the first slash."""
    known = {name: regular_file(folder, name) for name in (PAGE_FILE, MANIFEST_FILE)}
    files = {name: path for name, path in known.items() if path is not None} | page_files(folder)
    # A damaged manifest is served nevertheless: the page says what is wrong with it.
    with contextlib.suppress(InputError):
        files |= data_files(folder, read_manifest(folder))
    return files


class _Listener(socketserver.ThreadingTCPServer):
    """A thread a connection. Not ``HTTPServer``, which asks the resolver for this machine's name."""

    daemon_threads = True
    block_on_close = False
    # On Windows it would let another program listen on the same port.
    allow_reuse_address = sys.platform != "win32"
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENCE
    disable_nagle_algorithm = True

    def __init__(self, files: dict[str, Path], rules: str, *connection: Any) -> None:
        self._files, self._rules = files, rules
        super().__init__(*connection)

    def do_GET(self) -> None:
        """Sends a file, or the one range of it that is asked for."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Says what GET would."""
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        port = self.server.server_address[1]  # type: ignore[index]
        if self.headers.get_all("Host", []) not in ([f"{ADDRESS}:{port}"], [f"localhost:{port}"]):
            return self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            return self._refuse(HTTPStatus.BAD_REQUEST)
        # Not self.path, in which slashes at the beginning are taken together.
        target = self.requestline.split()[1].partition("?")[0]
        name = PAGE_FILE if target == "/" else unquote(target).removeprefix("/")
        path = self._files.get(name) if target.startswith("/") else None
        file = None if path is None else _opened(path)
        if path is None or file is None:
            return self._refuse(HTTPStatus.NOT_FOUND)
        with file:
            return self._send(file, _TYPES.get(path.suffix, "application/octet-stream"), body)

    def _send(self, file: BinaryIO, kind: str, body: bool) -> None:
        about = os.fstat(file.fileno())
        size, tag = about.st_size, f'"{about.st_mtime_ns:x}-{about.st_size:x}"'
        wanted = self.headers.get("Range") if body and self.headers.get("If-Range", tag) == tag else None
        part = _range(wanted, size)
        headers = {"Content-Type": kind, "ETag": tag, "Accept-Ranges": "bytes"}
        if self.headers.get("If-None-Match") == tag:
            self._head(HTTPStatus.NOT_MODIFIED, {"ETag": tag})
        elif part is None:
            self._head(HTTPStatus.OK, {**headers, "Content-Length": str(size)})
            self._copy(file, range(size if body else 0))
        elif not part:
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{size}"})
        else:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
            self._head(HTTPStatus.PARTIAL_CONTENT, {**headers, "Content-Length": str(len(part))})
            self._copy(file, part)

    def _copy(self, file: BinaryIO, part: range) -> None:
        # A file that has become shorter meanwhile: only the end of the connection can tell.
        if part and self.connection.sendfile(file, part.start, len(part)) < len(part):
            self.close_connection = True

    def _refuse(self, status: HTTPStatus, headers: dict[str, str] | None = None) -> None:
        sentence = f"{_SENTENCES.get(status, status.phrase + '.')}\n".encode()
        about = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(sentence))}
        self._head(status, {**about, **(headers or {}), "Connection": "close"})
        if self.command != "HEAD":
            self.wfile.write(sentence)

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, **self._safety()}.items():
            self.send_header(name, value)
        self.end_headers()

    def _safety(self) -> dict[str, str]:
        return {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": self._rules,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the parser of requests refuses, in the same form as everything else."""
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            return self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        return self._refuse(status)

    def version_string(self) -> str:
        """The name of the server, without versions."""
        return "InrLens"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal belongs to the program."""


def _opened(path: Path) -> BinaryIO | None:
    """An open regular file that still lies where it lay at the start, None where it does not."""
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        if path.resolve() != path:
            return None
        handle = os.open(path, flags)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    return os.fdopen(handle, "rb")


def _range(text: str | None, size: int) -> range | None:
    """The bytes that a Range header asks for: empty where there are none such, None where all are to be sent.

    A header that asks for several ranges, or cannot be understood, may be ignored (RFC 9110, 14.2).
    """
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", (text or "").strip(), re.ASCII)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return range(max(0, size - int(match[2])), size)
    first, last = int(match[1]), int(match[2] or size)
    if match[2] and last < first:
        return None
    return range(first, min(last + 1, size))
