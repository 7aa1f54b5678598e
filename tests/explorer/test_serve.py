"""The explorer's server: what it gives, and that nothing else can be had from it."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import inrlens.explorer.serve as serve
from explorer_toys import CONTENT, Answer, ask, bundle, send
from inrlens.errors import InputError
from inrlens.explorer.pages import policy, write_page
from inrlens.explorer.serve import Server

SECRET = b"nobody may read this"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle's folder with links and strangers in it, beside a file that must stay unread."""
    above = tmp_path_factory.mktemp("served")
    folder = bundle(
        above / "explorer",
        files={
            "data/n0.bin": len(CONTENT),
            "data/linked.bin": len(SECRET),
            "linked/secret.txt": len(SECRET),
            "../secret.txt": len(SECRET),
            "data/../../secret.txt": len(SECRET),
            str(above / "secret.txt"): len(SECRET),
            "data\\n0.bin": 1,
            "data/none.bin": 1,
            "data": 1,
            "": 1,
        },
    )
    (above / "secret.txt").write_bytes(SECRET)
    (folder / "data" / "linked.bin").symlink_to(above / "secret.txt")
    (folder / "linked").symlink_to(above)
    (folder / "data" / "unnamed.bin").write_bytes(SECRET)
    (folder / "notes.txt").write_bytes(SECRET)
    write_page(folder)
    (folder / "page" / "linked.js").symlink_to(above / "secret.txt")
    (folder / "page" / "secret.txt").write_bytes(SECRET)
    (folder / "page" / "more").symlink_to(above)
    return folder


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Server]:
    """A server of it."""
    with Server(place) as running:
        yield running


def test_it_gives_the_page_the_manifest_and_the_data(server: Server, place: Path) -> None:
    types = {
        "/": "text/html; charset=utf-8",
        "/index.html": "text/html; charset=utf-8",
        "/manifest.json": "application/json",
        "/data/n0.bin": "application/octet-stream",
        "/page/main.js": "text/javascript; charset=utf-8",
        "/page/css/base.css": "text/css; charset=utf-8",
    }
    for target, kind in types.items():
        answer = ask(server.port, target)
        assert (answer.status, answer.headers["content-type"]) == (200, kind)
        assert answer.body == (place / (target.removeprefix("/") or "index.html")).read_bytes()
        assert int(answer.headers["content-length"]) == len(answer.body)
    assert ask(server.port, "/data/n0.bin?v=1").body == CONTENT
    assert ask(server.port, "/data/n0%2ebin").body == CONTENT


def test_every_answer_says_what_a_browser_may_do(server: Server) -> None:
    for answer in (ask(server.port, "/"), ask(server.port, "/none"), ask(server.port, "/", host="other")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-cache"
        rules, _, frames = answer.headers["content-security-policy"].rpartition("; ")
        assert rules == policy()
        assert frames == "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt",
        "/data/../../secret.txt",
        "/data/../manifest.json",
        "/./manifest.json",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/data/%2E%2E/%2E%2E/secret.txt",
        "/%252e%252e/secret.txt",
        "/data%252fn0.bin",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "\\..\\secret.txt",
        "/data\\n0.bin",
        "/data%5Cn0.bin",
        "//secret.txt",
        "//manifest.json",
        "/data//n0.bin",
        "///etc/passwd",
        "/etc/passwd",
        "/%2fetc/passwd",
        "/file:///etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1/manifest.json",
        "manifest.json",
        "*",
        "/manifest.json%00",
        "/manifest.json%00.bin",
        "/%00",
        "/manifest.json/",
        "/manifest.json%20",
        "/MANIFEST.JSON",
        "/manifest.json#top",
        "/%",
        "/%zz",
        "/%c0%ae%c0%ae/secret.txt",
        "/%ef%bc%8e%ef%bc%8e/secret.txt",
        "/data",
        "/data/",
        "/page/",
        "/data/linked.bin",
        "/linked/secret.txt",
        "/data/unnamed.bin",
        "/data/none.bin",
        "/notes.txt",
        "/page/linked.js",
        "/page/secret.txt",
        "/page/more/secret.txt",
        "/page/index.html.j2",
        "/" + "a" * 10_000,
        "/" + "../" * 3_000 + "etc/passwd",
        "/" + "%2e%2e/" * 3_000 + "etc/passwd",
    ],
)
def test_nothing_else_is_readable(server: Server, target: str) -> None:
    assert_refused(ask(server.port, target), 404)


def test_an_absolute_path_is_none_even_where_the_manifest_names_it(server: Server, place: Path) -> None:
    secret = place.parent / "secret.txt"
    for target in (f"/{secret}", str(secret), f"//{secret}"):
        assert_refused(ask(server.port, target), 404)


def assert_refused(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert SECRET not in answer.body
    assert b"root:" not in answer.body
    assert answer.body.count(b"\n") == 1


def test_requests_that_are_none(server: Server) -> None:
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    for request in (
        b"GET /manifest\0.json HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/9.9\r\n" + host + b"\r\n",
        b"GET / manifest.json HTTP/1.1\r\n" + host + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"GET /manifest.json\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nConnection: close\r\n\r\nhello",
        b"GET / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    ):
        answer = send(server.port, request)
        assert answer.status == 0 or answer.status >= 400
        assert b"inrlens-explorer" not in answer.body
        assert b"<!DOCTYPE" not in answer.body
    assert ask(server.port, "/").status == 200


def test_a_request_with_a_body_is_not_taken_for_two(server: Server) -> None:
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    inner = f"GET /manifest.json HTTP/1.1\r\n{host}\r\n"
    answer = send(server.port, f"GET / HTTP/1.1\r\n{host}Content-Length: {len(inner)}\r\n\r\n{inner}".encode())
    assert answer.status in (0, 400)
    assert b"inrlens-explorer" not in answer.body


def test_foreign_hosts_are_refused(server: Server) -> None:
    port = server.port
    refused = [
        "",
        "example.org",
        f"example.org:{port}",
        "127.0.0.1",
        "localhost",
        f"127.0.0.1:{port + 1}",
        f"localhost.:{port}",
        f"127.0.0.1.:{port}",
        f"127.0.0.1:{port}.",
        f"127.0.0.1:{port}@example.org",
        f"localhost:{port}.example.org",
        f"127.1:{port}",
        f"0.0.0.0:{port}",
        f"[::1]:{port}",
        f"127.0.0.1:0{port}",
        f"127.0.0.1:{port}, example.org",
    ]
    for host in refused:
        answer = ask(port, "/manifest.json", host=host)
        assert_refused(answer, 421)
        assert b"127.0.0.1 and localhost alone" in answer.body
    assert ask(port, "/manifest.json", host=f"localhost:{port}").status == 200
    twice = ask(port, "/manifest.json", "Host: example.org")
    assert twice.status == 421
    assert ask(port, "/manifest.json", f"Host: 127.0.0.1:{port}").status == 421
    old = send(port, b"GET /manifest.json HTTP/1.0\r\n\r\n")
    assert old.status == 421


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=300-511", 300, 511),
        ("bytes=1000-", 1000, 1023),
        ("bytes=1023-1023", 1023, 1023),
        ("bytes=1000-99999999999", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=-5000", 0, 1023),
    ],
)
def test_ranges(server: Server, wanted: str, first: int, last: int) -> None:
    answer = ask(server.port, "/data/n0.bin", f"Range: {wanted}")
    assert answer.status == 206
    assert answer.body == CONTENT[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/1024"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=1024-2000", "bytes=-0", "bytes=99999999999999999-"])
def test_ranges_that_lie_beyond(server: Server, wanted: str) -> None:
    answer = ask(server.port, "/data/n0.bin", f"Range: {wanted}")
    assert_refused(answer, 416)
    assert answer.headers["content-range"] == "bytes */1024"


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-1,5-6",
        "bytes=5-2",
        "bytes=-",
        "bytes=a-b",
        "bytes=0x1-5",
        "bytes=1--5",
        "bytes 0-5",
        "rows=0-5",
        "0-5",
        "bytes=0-" + "9" * 50,
        "bytes=\N{ARABIC-INDIC DIGIT ONE}-",
    ],
)
def test_ranges_that_cannot_be_understood_give_the_whole(server: Server, wanted: str) -> None:
    answer = ask(server.port, "/data/n0.bin", f"Range: {wanted}")
    assert (answer.status, answer.body) == (200, CONTENT)


def test_head_and_tags(server: Server) -> None:
    whole = ask(server.port, "/data/n0.bin")
    head = ask(server.port, "/data/n0.bin", "Range: bytes=0-5", method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "1024")
    assert ask(server.port, "/none", method="HEAD").body == b""
    tag = whole.headers["etag"]
    same = ask(server.port, "/data/n0.bin", f"If-None-Match: {tag}")
    assert (same.status, same.body) == (304, b"")
    assert ask(server.port, "/data/n0.bin", 'If-None-Match: "other"').status == 200
    assert ask(server.port, "/data/n0.bin", "Range: bytes=0-5", f"If-Range: {tag}").status == 206
    assert ask(server.port, "/data/n0.bin", "Range: bytes=0-5", 'If-Range: "other"').status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "__init__"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    answer = ask(server.port, "/manifest.json", method=method)
    assert_refused(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_connection_serves_several_requests(server: Server) -> None:
    one = f"HEAD /data/n0.bin HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    request = f"{one}\r\n{one}Connection: close\r\n\r\n".encode()
    answer = send(server.port, request)
    assert answer.body.startswith(b"HTTP/1.1 200 OK\r\n")


def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}/"
    assert server._server.socket.getsockname() == ("127.0.0.1", server.port)
    for other in ("127.0.0.2", "::1"):
        with pytest.raises(OSError, match=r"\S"):
            socket.create_connection((other, server.port), timeout=2.0)


def test_a_file_that_turns_into_a_link_is_gone(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "explorer")
    write_page(folder)
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "n0.bin").write_bytes(SECRET)
    with Server(folder) as running:
        data = folder / "data"
        (data / "n0.bin").unlink()
        assert_refused(ask(running.port, "/data/n0.bin"), 404)
        (data / "n0.bin").symlink_to(tmp_path / "secret.txt")
        assert_refused(ask(running.port, "/data/n0.bin"), 404)
        (data / "n0.bin").unlink()
        os.mkfifo(data / "n0.bin")
        assert_refused(ask(running.port, "/data/n0.bin"), 404)
        (data / "n0.bin").unlink()
        data.rmdir()
        data.symlink_to(tmp_path / "other")
        assert_refused(ask(running.port, "/data/n0.bin"), 404)


def test_a_damaged_manifest_is_shown_to_the_page(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "explorer")
    write_page(folder)
    (folder / "manifest.json").write_text('{"format": "inr')
    with Server(folder) as running:
        assert ask(running.port, "/manifest.json").body == b'{"format": "inr'
        assert ask(running.port, "/data/n0.bin").status == 404


def test_nothing_is_printed(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    ask(server.port, "/")
    ask(server.port, "/none")
    ask(server.port, "/", method="POST")
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    time.sleep(0.1)
    assert ask(server.port, "/").status == 200
    assert capfd.readouterr() == ("", "")


def test_a_silent_connection_is_dropped(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve._Handler, "timeout", 0.2)
    with Server(place) as running:
        for sent in (b"", b"GET / HT"):
            with socket.create_connection(("127.0.0.1", running.port), timeout=10.0) as connection:
                connection.sendall(sent)
                assert connection.recv(1) == b""
    assert capfd.readouterr() == ("", "")


def test_a_closed_server_is_silent_and_wait_returns(place: Path) -> None:
    running = Server(place)
    threading.Timer(0.1, running.close).start()
    running.wait()
    running.close()
    # Not asked: another process may listen on the same port by now.
    assert running._server.socket.fileno() == -1


def test_a_taken_port_and_a_folder_without_a_page_are_refused(server: Server, place: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"port {server.port} of 127.0.0.1 cannot be used .*give another --port"):
        Server(place, server.port)
    with pytest.raises(InputError, match=r"index\.html is missing: write it again with inrlens explore RUN"):
        Server(bundle(tmp_path / "bare"))
