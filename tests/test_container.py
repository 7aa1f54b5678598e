"""The self-describing file: round trips, and everything that is not one of ours."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, strategies as st
from safetensors.torch import save_file

import toys
from inrlens import container
from inrlens.container import FORMAT_VERSION, Container, read_container, read_description, take, write_container
from inrlens.errors import InputError

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from([torch.float32, torch.float64, torch.float16, torch.int32, torch.bool])


@given(
    st.dictionaries(st.text(min_size=1, max_size=8).map("about ".__add__), plain, max_size=4),
    st.dictionaries(st.from_regex(r"[a-z]{1,6}(\.[a-z0-9]{1,3})?", fullmatch=True), kinds, max_size=3),
    st.integers(0, 9),
)
def test_a_round_trip_keeps_everything(
    tmp_path_factory: pytest.TempPathFactory, about: dict[str, Any], types: dict[str, torch.dtype], seed: int
) -> None:
    path = tmp_path_factory.mktemp("round") / "a.safetensors"
    draws = toys.generator(seed)
    tensors = {name: (torch.randn(3, seed, generator=draws) * 9).to(kind) for name, kind in types.items()}
    write_container(path, Container("thing", about, tensors))
    found = read_container(path)
    assert found.kind == "thing"
    assert {key: found.description[key] for key in about} == about
    assert set(found.tensors) == set(tensors)
    for name, tensor in tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert torch.equal(found.tensors[name], tensor)


def test_views_and_shared_storage_are_written_as_they_look(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    tensors = {"turned": base.T, "part": base[1:, ::2], "again": base}
    write_container(tmp_path / "a", Container("thing", {}, tensors))
    found = read_container(tmp_path / "a").tensors
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def test_an_existing_path_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_text("precious")
    with pytest.raises(InputError, match=r"a.safetensors exists already: give another path, or --force"):
        write_container(path, Container("thing", {}, {}))
    assert path.read_text() == "precious"
    write_container(path, Container("thing", {}, {}), force=True)
    assert read_container(path).kind == "thing"
    with pytest.raises(InputError, match="is a folder: give the name of a file"):
        write_container(tmp_path, Container("thing", {}, {}), force=True)


def test_the_file_is_safetensors_and_names_version_and_kind(tmp_path: Path) -> None:
    write_container(tmp_path / "a", Container("thing", {"x": 1}, {"t": torch.ones(2)}))
    raw = (tmp_path / "a").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["inrlens"]) == {"kind": "thing", "format_version": FORMAT_VERSION, "x": 1}


def _file(path: Path, kind: str) -> None:
    write_container(path, Container("thing", {}, {"t": torch.arange(100.0)}))
    whole = path.read_bytes()
    described = {
        "foreign": None,
        "not json": {"inrlens": "{"},
        "deep json": {"inrlens": "[" * 100_000},
        "huge number": {"inrlens": '{"kind": "thing", "format_version": ' + "9" * 5000 + "}"},
        "a list": {"inrlens": "[]"},
        "no version": {"inrlens": '{"kind": "field"}'},
        "no kind": {"inrlens": '{"format_version": 1}'},
        "newer": {"inrlens": '{"kind": "field", "format_version": 2}'},
    }
    if kind in described:
        save_file({"t": torch.ones(2)}, path, metadata=described[kind])
    elif kind == "cut short":
        path.write_bytes(whole[:-40])
    elif kind == "cut in the header":
        path.write_bytes(whole[:50])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "longer":
        path.write_bytes(whole + b"\0" * 8)
    elif kind == "oversized header":
        path.write_bytes((2**62).to_bytes(8, "little") + whole[8:])
    elif kind == "pickle":
        torch.save({"t": torch.ones(2)}, path)
    elif kind == "text":
        path.write_text("not a checkpoint at all, just words")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("foreign", "is a safetensors file, but not a checkpoint of InrLens: it has no 'inrlens' entry"),
        ("not json", "its description is not valid JSON; the file is damaged"),
        ("deep json", "its description is not valid JSON"),
        ("huge number", "its description is not valid JSON"),
        ("a list", "its description is not a JSON object"),
        ("no version", "lacks 'kind' or 'format_version'"),
        ("no kind", "lacks 'kind' or 'format_version'"),
        ("pickle", "is a file of torch.save, and no file of InrLens: inrlens import"),
        ("newer", "has format version 2, this InrLens reads up to 1: install a newer InrLens"),
        *(
            (kind, "is not a checkpoint of InrLens, or it is cut short or damaged")
            for kind in (
                "cut short",
                "cut in the header",
                "empty",
                "longer",
                "oversized header",
                "text",
            )
        ),
    ],
)
def test_files_that_are_not_ours(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "a.safetensors"
    _file(path, kind)
    with pytest.raises(InputError, match=message) as caught:
        read_container(path)
    assert str(path) in str(caught.value)


def test_a_pickle_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save(Trap(), tmp_path / "trap.safetensors")
    with pytest.raises(InputError):
        read_container(tmp_path / "trap.safetensors")
    assert not (tmp_path / "sprung").exists()


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="does not exist or is no file"):
            read_container(path)


def test_take_checks_name_shape_and_type() -> None:
    tensors = {"a": torch.ones(2, 3)}
    assert take("file", tensors, "a", torch.empty(2, 3)) is tensors["a"]
    with pytest.raises(InputError, match="file: tensor 'b' is missing"):
        take("file", tensors, "b", torch.empty(2, 3))
    with pytest.raises(InputError, match=r"tensor 'a' has shape \(2, 3\), its description says \(3, 2\)"):
        take("file", tensors, "a", torch.empty(3, 2))
    with pytest.raises(InputError, match=r"tensor 'a' holds torch.float32, its description says torch.float64"):
        take("file", tensors, "a", torch.empty(2, 3, dtype=torch.float64))


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*arguments: Any, **keywords: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    write_container(tmp_path / "a", Container("thing", {}, {}))
    monkeypatch.setattr(container, "safe_open", forbidden)
    with pytest.raises(InputError, match="a could not be read: Permission denied"):
        read_container(tmp_path / "a")


def test_a_folder_whose_name_is_no_utf_8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/run_\xfc"))
    folder.mkdir()
    write_container(folder / "a.safetensors", Container("x", {}, {"t": torch.arange(5)}))
    assert torch.equal(read_container(folder / "a.safetensors").tensors["t"], torch.arange(5))
    assert (read_description(folder / "a.safetensors") or {})["kind"] == "x"
