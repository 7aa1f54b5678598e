"""Sharing through the hub: against a server on loopback that speaks the routes which the hub's client calls."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard, constants
from safetensors.torch import save as save_tensors

import command
import inrlens as il
import toys
from fake_hub import OTHERS_TOKEN, TOKEN, FakeHub, only_hub, point_at


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    """The server, with a client that knows no other and is not logged in."""
    with only_hub(tmp_path / "client") as served:
        yield served


def _same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def test_a_field_comes_back_bit_for_bit_with_a_card_that_tells_of_it(hub: FakeHub, cohort_fit: il.Fit) -> None:
    done = il.push_to_hub(cohort_fit, "me/faces", token=TOKEN, license="mit")
    assert done.url == f"{hub.url}/me/faces"
    assert done.private
    assert hub.repositories["me/faces"].private
    assert done.commit == hub.repositories["me/faces"].branches["main"]
    files = hub.repositories["me/faces"].files()
    assert sorted(files) == [".gitattributes", "README.md", "field.safetensors"]
    assert done.files == {name: len(files[name]) for name in ("field.safetensors", "README.md")}

    field = il.from_pretrained("me/faces", token=TOKEN)
    assert isinstance(field, il.Field)
    assert _same(field, cohort_fit.field)
    assert field.origin == cohort_fit.field.origin
    assert field.grid == cohort_fit.field.grid

    card = ModelCard(files["README.md"].decode())
    assert card.data.library_name == "inrlens"
    assert card.data.license == "mit"
    assert card.data.tags == ["inrlens", "implicit-neural-representation", "siren"]
    (result,) = card.data.eval_results
    assert result.metric_type == "psnr"
    assert result.metric_value == pytest.approx(cohort_fit.psnr, abs=1e-4)
    assert result.metric_args["n"] == 3


def test_all_files_go_up_in_one_commit(hub: FakeHub, cohort: il.Field) -> None:
    saes = {f"layer{layer}": toys.sae(cohort, layer) for layer in (1, 2)}
    il.push_to_hub({"faces": cohort, **saes}, "me/faces", token=TOKEN)
    posts = [path for method, path in hub.requests if method == "POST"]
    assert posts == [
        "/api/repos/create",
        "/api/validate-yaml",
        "/api/models/me/faces/preupload/main",
        "/api/models/me/faces/commit/main",
    ]
    things = il.from_pretrained("me/faces", token=TOKEN)
    assert isinstance(things, dict)
    assert list(things) == ["faces", "layer1", "layer2"]
    assert all(_same(things[name], sae) for name, sae in saes.items())
    assert _same(il.from_pretrained("me/faces", "layer2.safetensors", token=TOKEN), saes["layer2"])


def test_an_atlas_with_its_signal_needs_to_be_asked_for(hub: FakeHub, cohort: il.Field) -> None:
    sae = toys.sae(cohort)
    atlas = il.effects(cohort, sae, il.encode(cohort, sae), signal=toys.signal())
    with pytest.raises(il.InputError, match=r"holds its signal 'toy 0', and signals are not shared unless asked"):
        il.push_to_hub(atlas, "me/atlas", token=TOKEN)
    assert hub.repositories == {}
    il.push_to_hub(atlas, "me/atlas", token=TOKEN, signals=True)
    back = il.from_pretrained("me/atlas", token=TOKEN)
    assert isinstance(back, il.Effects)
    assert torch.equal(back.delta, atlas.delta)
    assert torch.equal(back.psnr_drop, atlas.psnr_drop)


def test_another_push_needs_force_and_leaves_nothing_old(hub: FakeHub, cohort: il.Field) -> None:
    il.push_to_hub({"a": cohort, "b": toys.sae(cohort)}, "me/faces", token=TOKEN)
    repository = hub.repositories["me/faces"]
    repository.commit({**repository.files(), "notes.txt": b"the owner's own"})
    with pytest.raises(il.InputError, match=r"me/faces holds files already \(README\.md, a\.safetensors, b"):
        il.push_to_hub({"a": cohort}, "me/faces", token=TOKEN)
    il.push_to_hub({"a": cohort}, "me/faces", token=TOKEN, force=True)
    assert sorted(repository.files()) == [".gitattributes", "README.md", "a.safetensors", "notes.txt"]
    assert isinstance(il.from_pretrained("me/faces", token=TOKEN), il.Field)


def test_a_revision_is_a_branch_or_a_commit(hub: FakeHub, cohort: il.Field) -> None:
    first = il.push_to_hub(cohort, "me/faces", token=TOKEN).commit
    repository = hub.repositories["me/faces"]
    repository.commit({".gitattributes": b""}, "other")
    sae = toys.sae(cohort)
    il.push_to_hub(sae, "me/faces", token=TOKEN, revision="other", message="a dictionary")
    assert isinstance(il.from_pretrained("me/faces", token=TOKEN), il.Field)
    assert _same(il.from_pretrained("me/faces", revision="other", token=TOKEN), sae)
    assert _same(il.from_pretrained("me/faces", revision=first, token=TOKEN), cohort)
    for call in (il.from_pretrained, lambda *_, **more: il.push_to_hub(cohort, "me/faces", **more)):
        with pytest.raises(il.InputError, match=r"me/faces has no revision 'v9': give a branch, tag or commit"):
            call("me/faces", revision="v9", token=TOKEN)


def test_a_public_repository_is_not_filled_unasked(hub: FakeHub, cohort: il.Field) -> None:
    hub.repository("me/open")
    with pytest.raises(il.InputError, match=r"me/open is there already and public: give private=False \(--public\)"):
        il.push_to_hub(cohort, "me/open", token=TOKEN)
    assert sorted(hub.repositories["me/open"].files()) == [".gitattributes"]
    assert not il.push_to_hub(cohort, "me/open", token=TOKEN, private=False).private
    assert _same(il.from_pretrained("me/open"), cohort)


def test_what_the_hub_refuses_is_one_sentence(hub: FakeHub, cohort: il.Field) -> None:
    hub.repository("me/hidden", private=True)
    for repo_id, token, more, words in (
        ("me/faces", None, {}, "there is no token to upload with: log in with hf auth login"),
        ("me/faces", "hf_wrong", {}, "the hub did not accept the token for me/faces: log in anew"),
        ("me/faces", OTHERS_TOKEN, {}, "this token may not write to me/faces: use one with write access"),
        ("you/faces", TOKEN, {}, "this token may not write to you/faces"),
        ("faces", TOKEN, {}, "'faces' is no name of a repository: write OWNER/NAME"),
        ("me/a--b", TOKEN, {}, "'me/a--b' is no name of a repository"),
        ("me/faces", TOKEN, {"license": "nonsense"}, "the hub did not take this for me/faces: Invalid metadata in REA"),
    ):
        with pytest.raises(il.InputError) as refusal:
            il.push_to_hub(cohort, repo_id, token=token, **more)
        assert str(refusal.value).startswith(words), refusal.value
        assert "\n" not in str(refusal.value)
    for repo_id in ("me/nothing", "me/hidden"):
        with pytest.raises(il.InputError, match=f"there is no repository {repo_id} on the hub that this login may see"):
            il.from_pretrained(repo_id)
    with pytest.raises(il.InputError, match=r"'me/a--b' is no name of a repository"):
        il.from_pretrained("me/a--b")


def test_a_repository_of_others_names_what_it_holds_and_is_not_downloaded(hub: FakeHub) -> None:
    weights = save_tensors({"w": torch.zeros(50_000)})
    hub.repository("you/llm", {"README.md": b"# llm", "model.safetensors": weights, "pytorch_model.bin": b"pickle"})
    with pytest.raises(
        il.InputError,
        match=r"you/llm holds no field, dictionary or atlas of InrLens; it has .gitattributes, README.md, model.safet",
    ):
        il.from_pretrained("you/llm")
    with pytest.raises(il.InputError, match=r"you/llm holds no file 'field.safetensors'; it has"):
        il.from_pretrained("you/llm", "field.safetensors")
    looked_at = {path for _, path in hub.requests if "/resolve/" in path}
    assert looked_at == {"/you/llm/resolve/main/model.safetensors"}
    assert not any(Path(constants.HF_HUB_CACHE).rglob("*.safetensors"))


def test_a_damaged_file_is_named(hub: FakeHub, cohort: il.Field) -> None:
    il.push_to_hub(cohort, "me/faces", token=TOKEN)
    good = hub.repositories["me/faces"].files()["field.safetensors"]
    hub.repository("me/cut", {"field.safetensors": good[:-100]})
    with pytest.raises(il.InputError, match=r"^me/cut/field.safetensors is not a checkpoint .* cut short or damaged"):
        il.from_pretrained("me/cut")
    hub.repository("me/noise", {"field.safetensors": bytes(range(256))})
    with pytest.raises(il.InputError, match=r"^me/noise: field.safetensors is no safetensors file, or it is cut"):
        il.from_pretrained("me/noise")


def test_names_that_lead_out_of_the_folder_are_not_taken(hub: FakeHub, cohort: il.Field, tmp_path: Path) -> None:
    il.push_to_hub(cohort, "me/faces", token=TOKEN)
    good = hub.repositories["me/faces"].files()["field.safetensors"]
    hub.repository("you/trap", {"../../escaped.safetensors": good})
    said = r"you/trap: left out, since it leads out of the folder: \.\./\.\./escaped"
    with pytest.warns(UserWarning, match=said), pytest.raises(il.InputError, match=r"you/trap holds no field, dict"):
        il.from_pretrained("you/trap", token=TOKEN)
    hub.repository("you/odd", {"a[1].safetensors": good, "history/../escaped.csv": b"1", "history/a.csv": b"1"})
    assert _same(toys.unchecked(il.from_pretrained)("you/odd", "a[1].safetensors", token=TOKEN), cohort)
    done = command.done("pull", "you/odd", "-o", tmp_path / "odd")
    assert "you/odd: left out, since it leads out of the folder: history/../escaped.csv" in " ".join(done.err.split())
    assert sorted(path.name for path in (tmp_path / "odd").rglob("*.*")) == ["a.csv", "a[1].safetensors"]
    assert not list(tmp_path.rglob("escaped*"))


def test_without_the_hub_the_cache_serves(
    hub: FakeHub, cohort: il.Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    il.push_to_hub({"a": cohort, "b": toys.sae(cohort)}, "me/faces", token=TOKEN)
    kept = tmp_path / "kept"
    il.from_pretrained("me/faces", cache_dir=kept, token=TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    things = il.from_pretrained("me/faces", cache_dir=kept, token=TOKEN)
    assert isinstance(things, dict)
    assert _same(things["a"], cohort)
    assert _same(il.from_pretrained("me/faces", "a.safetensors", cache_dir=kept), cohort)
    with pytest.raises(il.InputError, match=r"the hub cannot be reached, and me/faces is not whole in the cache"):
        il.from_pretrained("me/faces", token=TOKEN)
    with pytest.raises(il.InputError, match=r"the hub cannot be reached"):
        il.push_to_hub(cohort, "me/faces", token=TOKEN)


@pytest.mark.slow
def test_a_hub_that_does_not_answer_is_like_no_network(
    hub: FakeHub, cohort: il.Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow: the hub's client tries several times."""
    il.push_to_hub({"a": cohort}, "me/faces", token=TOKEN)
    kept = tmp_path / "kept"
    il.from_pretrained("me/faces", cache_dir=kept, token=TOKEN)
    point_at(monkeypatch, "http://127.0.0.1:9")
    assert _same(il.from_pretrained("me/faces", "a.safetensors", cache_dir=kept, token=TOKEN), cohort)
    with pytest.raises(il.InputError, match=r"the hub cannot be reached"):
        il.from_pretrained("me/faces", token=TOKEN)


def test_the_verbs(hub: FakeHub, bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no token to upload with" in command.refused("push", bench / "cohort", "me/run")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    done = command.done("push", bench / "cohort", bench / "sae.safetensors", "me/run", "--json").json
    assert done["private"]
    assert sorted(done["files"]) == ["README.md", "field.safetensors", "history.csv", "run.json", "sae.safetensors"]
    assert "README.md" in command.done("push", bench / "cohort", "me/run", "--force").out
    assert "holds files already" in command.refused("push", bench / "cohort", "me/run")

    out = tmp_path / "pulled"
    found = command.done("pull", "me/run", "-o", out, "--json").json
    assert sorted(found["files"]) == ["README.md", "field.safetensors", "history.csv", "run.json"]
    field = (out / "field.safetensors").read_bytes()
    assert field == (bench / "cohort" / "field.safetensors").read_bytes()
    assert "exists already" in command.refused("pull", "me/run", "-o", out)
    command.done("pull", "me/run", "-o", out, "--force")
    ranks = [command.done("ranks", run, "--json").json for run in (out, bench / "cohort")]
    assert ranks[0] == ranks[1]

    command.done("pull", "me/run", "--file", "field.safetensors", "-o", tmp_path / "one.safetensors")
    assert (tmp_path / "one.safetensors").read_bytes() == field
    assert "has no revision 'v2'" in command.refused("pull", "me/run", "--revision", "v2", "-o", tmp_path / "no")
    assert command.leftovers(tmp_path) == []
    assert json.loads((out / "run.json").read_text())["kind"] == "cohort"
