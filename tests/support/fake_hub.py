"""A hub on loopback: the routes that huggingface_hub calls for small files, over repositories kept in memory."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session

TOKEN = "hf_loopback"
"""May write to what ``me`` owns."""
OTHERS_TOKEN = "hf_reader"
"""May read what is public."""


@dataclass
class Repository:
    """A repository: its visibility, and the files of every commit, by the commit's hash; branches name commits."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        """Puts a tree on a branch; the hash of the commit."""
        text = json.dumps([len(self.commits), sorted((name, _oid(data)) for name, data in files.items())])
        commit = hashlib.sha1(text.encode()).hexdigest()
        self.commits[commit] = dict(files)
        self.branches[branch] = commit
        return commit

    def files(self, revision: str = "main") -> dict[str, bytes]:
        """The tree of a branch or commit; KeyError where there is none."""
        return self.commits[self.branches.get(revision, revision)]


@dataclass
class FakeHub:
    """The server: its address, its repositories by name, and every request as (method, path)."""

    url: str
    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def repository(self, name: str, files: dict[str, bytes] | None = None, private: bool = False) -> Repository:
        """A repository made on the server's side."""
        made = self.repositories[name] = Repository(private)
        made.commit({".gitattributes": b"", **(files or {})})
        return made


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Serves on a free port of 127.0.0.1 until the block ends."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.hub = hub = FakeHub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def only_hub(folder: Path, token: str | None = None) -> Iterator[FakeHub]:
    """The same, and huggingface_hub knows no other: it is logged in with ``token`` alone, and keeps what it keeps in
    ``folder``. Nothing of that outlasts the block."""
    with fake_hub() as served, pytest.MonkeyPatch.context() as patch:
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
            patch.delenv(name, raising=False)
        if token is not None:
            patch.setenv("HF_TOKEN", token)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
        for name in ("HF_HUB_CACHE", "HF_TOKEN_PATH", "AGENT_HARNESSES_PATH"):
            patch.setattr(constants, name, str(folder / name))
        point_at(patch, served.url)
        close_session()
        yield served
        close_session()


def point_at(patch: pytest.MonkeyPatch, url: str) -> None:
    """What ``HF_ENDPOINT`` would do, had it been set before the client was imported."""
    patch.setattr(constants, "ENDPOINT", url)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


class _Refused(Exception):
    def __init__(self, status: int, code: str = "", message: str = "", answer: dict[str, Any] | None = None) -> None:
        super().__init__(status)
        self.status, self.code, self.message, self.answer = status, code, message, answer


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append((self.command, path))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            parts = [unquote(part) for part in path.strip("/").split("/")]
            if self.command == "POST":
                self._answer(json.dumps(self._post(parts, body)).encode())
            elif parts[:2] == ["api", "models"]:
                self._answer(json.dumps(self._look(parts)).encode())
            elif len(parts) > 4 and parts[2] == "resolve":
                self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
            else:
                raise _Refused(404)
        except _Refused as error:
            extra = {"X-Error-Code": error.code} if error.code else {}
            if error.message:
                extra["X-Error-Message"] = error.message
            self._answer(json.dumps(error.answer or {"error": error.message}).encode(), error.status, extra)

    def _answer(self, content: bytes, status: int = 200, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(extra or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _writer(self, owner: str) -> None:
        if self._token() not in (TOKEN, OTHERS_TOKEN):
            raise _Refused(401, message="Invalid credentials in Authorization header")
        if owner != "me" or self._token() != TOKEN:
            raise _Refused(403, message="You don't have the rights to write here")

    def _repository(self, name: str) -> Repository:
        found = self.hub.repositories.get(name)
        if found is None or (found.private and self._token() != TOKEN):
            raise _Refused(404 if self._token() == TOKEN else 401, "RepoNotFound")
        return found

    def _tree(self, name: str, revision: str) -> tuple[str, dict[str, bytes]]:
        repository = self._repository(name)
        try:
            return repository.branches.get(revision, revision), repository.files(revision)
        except KeyError:
            raise _Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}") from None

    def _post(self, parts: list[str], body: bytes) -> Any:
        if parts == ["api", "validate-yaml"]:
            if b'license: \\"nonsense\\"' in body:
                raise _Refused(400, answer={"errors": [{"message": "license is none that the hub knows"}]})
            return {"errors": [], "warnings": []}
        if parts == ["api", "repos", "create"]:
            return self._create(json.loads(body))
        if parts[:2] == ["api", "models"] and parts[4] == "preupload":
            self._tree("/".join(parts[2:4]), parts[5])
            # What the client asks for: that a file is small is for the server to say.
            files = [{**file, "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]]
            return {"files": files}
        if parts[:2] == ["api", "models"] and parts[4] == "commit":
            return self._commit("/".join(parts[2:4]), parts[5], body)
        raise _Refused(404)

    def _create(self, wanted: dict[str, Any]) -> Any:
        name = f"{wanted['organization']}/{wanted['name']}"
        self._writer(wanted["organization"])
        answer = {"url": f"{self.hub.url}/{name}"}
        if name in self.hub.repositories:
            # The client takes the address from the refusal too.
            raise _Refused(409, answer=answer)
        self.hub.repository(name, private=wanted["visibility"] == "private")
        return answer

    def _commit(self, name: str, branch: str, body: bytes) -> Any:
        self._writer(name.split("/")[0])
        files = dict(self._tree(name, branch)[1])
        for line in body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                assert value["encoding"] == "base64"
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "deletedFile":
                del files[value["path"]]
            else:
                assert item["key"] == "header", item["key"]
                assert value["summary"]
        commit = self.hub.repositories[name].commit(files, branch)
        return {"commitUrl": f"{self.hub.url}/{name}/commit/{commit}", "commitOid": commit, "success": True}

    def _look(self, parts: list[str]) -> Any:
        name = "/".join(parts[2:4])
        what, revision = (parts[4], parts[5]) if len(parts) > 4 else ("revision", "main")
        commit, files = self._tree(name, revision)
        if what == "tree":
            return [
                {"type": "file", "path": path, "size": len(data), "oid": _oid(data)} for path, data in files.items()
            ]
        siblings = [{"rfilename": path} for path in files]
        return {"id": name, "sha": commit, "private": self._repository(name).private, "siblings": siblings, "tags": []}

    def _resolve(self, name: str, revision: str, path: str) -> None:
        commit, files = self._tree(name, revision)
        if path not in files:
            raise _Refused(404, "EntryNotFound")
        data, status = files[path], 200
        extra = {"ETag": f'"{_oid(data)}"', "X-Repo-Commit": commit, "Content-Type": "application/octet-stream"}
        asked = self.headers.get("Range")
        if asked is not None:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            end = min(int(last or len(data) - 1), len(data) - 1)
            extra["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
            data, status = data[int(first) : end + 1], 206
        self._answer(data, status, extra)


def _oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
