"""A bundle made by hand, as small as can be, and a way to ask a server anything at all."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inrlens.explorer.manifest import VERSION

CONTENT = bytes(range(256)) * 4
HOSTILE = '</script><script>alert("1")</script><!-- <script> & <b>'


def bundle(folder: Path, title: str = "runs/toy", **more: Any) -> Path:
    """A folder with a manifest of one data file, ``data/n0.bin``, which holds ``CONTENT``; no network is in it."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "n0.bin").write_bytes(CONTENT)
    manifest = {
        "format": "inrlens-explorer",
        "version": VERSION,
        "inrlens_version": "0.1.0",
        "title": title,
        "source": "0" * 64,
        "notes": [],
        "files": {"data/n0.bin": len(CONTENT)},
        "networks": [],
        "freeze": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest | more), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Answer:
    """A response: its status (0 where the connection ended without one), headers by lower-case name, and body."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(port: int, target: str | bytes, *lines: str, method: str = "GET", host: str | None = None) -> Answer:
    """One request over a socket of its own, with nothing made safe on its way.

    ``lines`` are further header lines; ``host`` replaces the right one, and an empty one leaves it out.
    """
    named = f"127.0.0.1:{port}" if host is None else host
    raw = target if isinstance(target, bytes) else target.encode("utf-8")
    headers = [*([f"Host: {named}"] if named else []), *lines, "Connection: close"]
    return send(port, method.encode() + b" " + raw + b" HTTP/1.1\r\n" + "\r\n".join([*headers, "", ""]).encode())


def send(port: int, request: bytes) -> Answer:
    """What comes back for these bytes."""
    answer = b""
    # The server may hang up before it has read all: what came before counts.
    with socket.create_connection(("127.0.0.1", port), timeout=10.0) as connection, suppress(ConnectionError):
        connection.sendall(request)
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/"):
        return Answer(0, {}, answer)
    status, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
    return Answer(int(status.split()[1]), headers, body)
