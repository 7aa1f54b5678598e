"""The explorer's page as files beside a bundle and as one file: what it may load, and that it holds all it needs."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest

import inrlens.explorer.pages as pages
from explorer_toys import CONTENT, HOSTILE, bundle
from inrlens.errors import InputError
from inrlens.explorer.pages import assets, policy, single_page, write_page, write_single

PAGE = Path(str(resources.files("inrlens.explorer").joinpath("page")))
MODULES = sorted(path.relative_to(PAGE).as_posix() for path in PAGE.rglob("*.js"))


class Elements(HTMLParser):
    """Every element of a page as its name, attributes and the text directly inside, as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str], str]] = []
        self._inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}, ""))
        self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str], str]]:
        """Attributes and text of those of a name with these attributes."""
        return [(has, text) for name, has, text in self.found if name == tag and attributes.items() <= has.items()]

    def one(self, tag: str, **attributes: str) -> tuple[dict[str, str], str]:
        """The same of the only one."""
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def rules(self) -> dict[str, str]:
        """The content security policy, by directive."""
        attributes, _ = self.one("meta", **{"http-equiv": "Content-Security-Policy"})
        return dict(rule.split(" ", 1) for rule in attributes["content"].split("; "))


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_page_beside_a_bundle(tmp_path: Path) -> None:
    index = write_page(bundle(tmp_path / "explorer"))
    page = Elements(index.read_text(encoding="utf-8"))
    assert page.one("html")[0]["lang"] == "en"
    assert page.one("title")[1] == "runs/toy · InrLens"
    assert page.one("main")[0]["id"] == "explorer"
    assert "JavaScript" in index.read_text(encoding="utf-8").partition("<noscript>")[2].partition("</noscript>")[0]
    _, import_map = page.one("script", type="importmap")
    assert page.rules == {
        "default-src": "'none'",
        "script-src": f"'self' 'wasm-unsafe-eval' {digest(import_map)}",
        "worker-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "; ".join(f"{name} {value}" for name, value in page.rules.items()) == policy()
    imports = json.loads(import_map)["imports"]
    assert imports == {f"inrlens/{name}": f"./page/{name}" for name in MODULES}
    assert page.one("script", type="module")[0]["src"] == "page/main.js"
    for name in MODULES:
        assert (tmp_path / "explorer" / "page" / name).read_bytes() == (PAGE / name).read_bytes()
    links = [has["href"] for has, _ in page.all("link", rel="stylesheet")]
    assert links[0] == "page/css/base.css"
    assert links[1:] == sorted(links[1:])
    assert sorted(links) == sorted(f"page/{path.relative_to(PAGE).as_posix()}" for path in PAGE.rglob("*.css"))
    assert page.one("link", rel="icon")[0]["href"].startswith("data:image/svg+xml,")


def test_the_policy_comes_before_anything_that_it_governs(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "explorer")
    for text in (write_page(folder).read_text(encoding="utf-8"), single_page(folder)):
        tags = [tag for tag, *_ in Elements(text).found]
        assert tags[:4] == ["html", "head", "meta", "meta"]
        assert set(tags[:4]).isdisjoint({"script", "style", "link"})
        assert not re.search(r"<[^>]*\s(on\w+|style)=", text.partition("<body>")[2])


def test_modules_import_what_the_map_knows_and_nothing_by_path() -> None:
    found = {
        (name, target)
        for name, text in assets().scripts.items()
        for target in re.findall(r"""^(?:import|export)\s(?:[^;"']*\sfrom\s)?["']([^"']+)["'];""", text, re.MULTILINE)
    }
    assert found
    assert {target for _, target in found} <= {f"inrlens/{name}" for name in MODULES}


def test_nothing_in_the_shipped_files_ends_the_element_that_it_is_put_into() -> None:
    own = assets()
    assert not [name for name, text in own.styles.items() if "</style" in text.lower()]
    worker = own.scripts.get(pages.WORKER, "").lower()
    assert "</script" not in worker
    assert "<!--" not in worker


def test_files_that_are_right_are_left_alone_and_others_mended(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "explorer")
    write_page(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    (folder / "page" / "main.js").write_text("old")
    (folder / "page" / "old.js").write_text("old")
    (folder / "page" / "mine.txt").write_text("mine")
    write_page(folder)
    assert not (folder / "page" / "old.js").exists()
    assert (folder / "page" / "mine.txt").exists()
    assert (folder / "page" / "main.js").read_bytes() == (PAGE / "main.js").read_bytes()
    changed = [path.name for path, when in before.items() if path.stat().st_mtime_ns != when]
    assert changed == ["main.js"]


@pytest.mark.parametrize("title", [HOSTILE, "a & b", "\N{LINE SEPARATOR}ß\N{GRINNING FACE}"])
def test_a_title_is_text(tmp_path: Path, title: str) -> None:
    folder = bundle(tmp_path / "explorer", title)
    for text in (write_page(folder).read_text(encoding="utf-8"), single_page(folder)):
        page = Elements(text)
        assert page.one("title")[1] == f"{title} · InrLens"
        assert "alert(" not in "".join(body for has, body in page.all("script") if "json" not in has.get("type", ""))


def test_one_file_holds_everything(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "explorer")
    file = write_single(folder, tmp_path / "page.html")
    text = file.read_text(encoding="utf-8")
    page, own = Elements(text), assets()
    assert json.loads(page.one("script", id="manifest")[1]) == json.loads((folder / "manifest.json").read_text())
    data, content = page.one("script", id="data/n0.bin")
    assert data["type"] == "application/octet-stream;base64"
    assert base64.b64decode(content) == CONTENT
    worker, code = page.one("script", id="worker")
    assert worker["type"] == "text/plain"
    assert code == own.scripts.get(pages.WORKER, "")
    _, import_map = page.one("script", type="importmap")
    imports = json.loads(import_map)["imports"]
    assert sorted(imports) == [f"inrlens/{name}" for name in MODULES if name != pages.WORKER]
    for name, address in imports.items():
        kind, _, encoded = address.partition(",")
        assert kind == "data:text/javascript;base64"
        assert base64.b64decode(encoded).decode() == own.scripts[name.removeprefix("inrlens/")]
    entry = page.one("script", type="module")[1]
    assert entry == 'import "inrlens/main.js";'
    style = page.one("style")[1]
    assert style == "\n".join(own.styles.values())
    assert page.rules == {
        "default-src": "'none'",
        "script-src": f"data: blob: 'wasm-unsafe-eval' {digest(import_map)} {digest(entry)}",
        "worker-src": "blob:",
        "style-src": digest(style),
        "img-src": "data: blob:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not page.all("link", rel="stylesheet")
    assert not [has for has, _ in page.all("script") if "src" in has]


def test_no_name_ends_the_script_that_it_stands_in(tmp_path: Path) -> None:
    signals = [{"head": 0, "name": HOSTILE}, {"head": 1, "name": "<!--<script>"}]
    folder = bundle(tmp_path / "explorer", HOSTILE, notes=[HOSTILE], networks=[{"name": HOSTILE, "signals": signals}])
    text = single_page(folder)
    page = Elements(text)
    manifest = page.one("script", id="manifest")[1]
    assert "<" not in manifest
    assert json.loads(manifest)["networks"][0]["signals"] == signals
    assert [has.get("id", has["type"]) for has, _ in page.all("script")] == [
        "importmap",
        "manifest",
        "data/n0.bin",
        "worker",
        "module",
    ]
    assert text.lower().count("</script") == 5


def test_a_bundle_too_large_for_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bundle(tmp_path / "explorer")
    monkeypatch.setattr(pages, "LARGEST_SINGLE", len(CONTENT))
    assert single_page(folder)
    monkeypatch.setattr(pages, "LARGEST_SINGLE", len(CONTENT) - 1)
    with pytest.raises(InputError, match=r"this explorer holds 0 MB, .* may hold up to 0: export a folder instead"):
        write_single(folder, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_the_limit_is_64_megabytes(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "explorer", files={"data/n0.bin": 64_000_001})
    with (folder / "data" / "n0.bin").open("wb") as file:
        file.truncate(64_000_001)
    with pytest.raises(InputError, match=r"holds 64 MB, and one \.html file may hold up to 64"):
        single_page(folder)


def test_damaged_bundles_are_refused(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "explorer")
    (folder / "data" / "n0.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match=r"n0\.bin is cut short or damaged, 1,023 of 1,024 bytes: write the bundle"):
        single_page(folder)
    (folder / "data" / "n0.bin").unlink()
    with pytest.raises(InputError, match=r"n0\.bin is missing: write the bundle again"):
        single_page(folder)
    outside = bundle(tmp_path / "other", files={"../secret.txt": 3})
    (tmp_path / "secret.txt").write_text("key")
    with pytest.raises(InputError, match=r"secret\.txt is missing"):
        single_page(outside)
    for text, sentence in (
        ('{"format": "inr', "damaged or cut short"),
        ("[" * 100_000, "damaged or cut short"),
        ('{"format": "other", "files": {}}', "not the manifest of an explorer"),
        ('{"format": "inrlens-explorer"}', "not the manifest of an explorer"),
        ("[]", "not the manifest of an explorer"),
    ):
        (folder / "manifest.json").write_text(text)
        with pytest.raises(InputError, match=sentence):
            write_page(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"manifest\.json could not be read"):
        write_page(folder)


def test_a_taken_file_is_refused(tmp_path: Path) -> None:
    folder, file = bundle(tmp_path / "explorer"), tmp_path / "page.html"
    file.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_single(folder, file)
    write_single(folder, file, force=True)
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
