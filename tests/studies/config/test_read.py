"""A study's file becomes plain numbers, or one message that names everything that is wrong with it."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import get_args

import hypothesis
import pytest
from hypothesis import given, strategies as st

from inrlens.errors import InputError
from inrlens.fields.backbone import backbone_names
from inrlens.fields.ffmlp import FFMLP
from inrlens.fields.siren import Siren
from inrlens.fitting.recipes import named
from inrlens.signals.kinds import DataKind
from inrlens.studies.config.knobs import recipe_knobs
from inrlens.studies.config.model import BackboneSpec, RecipeSpec, StudySpec
from inrlens.studies.config.read import parse_study, read_study
from inrlens.studies.config.recipes import recipe_grid
from inrlens.studies.config.shipped import SHIPPED
from inrlens.studies.config.toml_text import toml_value

KINDS = ", ".join(get_args(DataKind))
DATA = '[data.faces]\nkind = "folder"\npath = "faces"\n'
NETS = "[backbones.siren]\n[backbones.ffmlp]\n"
TRANSFERS = '[[transfers]]\nfreeze = ["none", 0]\n'
HERE = Path("nowhere")
TOP = 'format = 1\nname = "toy"\n'


def parsed(*parts: str) -> StudySpec:
    """The study of a file's parts."""
    return parse_study("".join(parts), "toy.toml", HERE)


def fault(*parts: str) -> str:
    """The only fault of a file's parts."""
    found = faults(*parts)
    assert len(found) == 1, found
    return found[0]


def faults(*parts: str) -> list[str]:
    """All faults of a file's parts."""
    with pytest.raises(InputError) as refused:
        parsed(*parts)
    words = re.fullmatch(r"toy\.toml has (\d+) faults?: (.*)\.", str(refused.value), re.DOTALL)
    assert words is not None, refused.value
    found = words[2].split("; ")
    assert len(found) == int(words[1])
    assert ("fault:" in str(refused.value)) == (len(found) == 1)
    return found


def test_the_smallest_study_has_the_defaults() -> None:
    spec = parsed(TOP, DATA, NETS, TRANSFERS)
    assert (spec.name, spec.title, spec.seeds, spec.cohort_seeds) == ("toy", "toy", (0,), (0,))
    assert spec.metrics == ("psnr", "ssim", "lpips")
    assert spec.data[0].cohort == 10
    assert (spec.data[0].size, spec.data[0].test, spec.data[0].channels) == (None, None, 3)
    assert spec.backbones == (BackboneSpec("siren", "siren"), BackboneSpec("ffmlp", "ffmlp"))
    assert spec.transfers[0].freeze == ("none", 0)
    assert (spec.transfers[0].rest, spec.transfers[0].sources) == (("reinit",), ())


def test_every_field_reaches_the_spec() -> None:
    spec = parsed(
        TOP,
        'title = "A toy"\nseeds = [3, 1]\ncohort_seeds = [5]\nmetrics = ["psnr"]\n',
        '[data.faces]\nkind = "celeba"\npath = "${FACES}/x"\nsize = [4, 5]\ncohort = 2\nvalidation = 1\ntest = 3\n',
        'split_seed = 9\nhow = "cover"\nchannels = 1\nturn = true\npattern = "*.png"\n',
        '[backbones.wide]\nbackbone = "siren"\n'
        'cohort = { recipe = "small", width = [64, 128], learning_rate = 1, stop_psnr = "none" }\n',
        '[[transfers]]\nfreeze = [0, "scratch"]\nrest = ["warm"]\nsources = ["faces"]\nimages = 2\n',
        '[[singles]]\ndata = ["faces"]\nbackbones = ["wide"]\nsplit = "validation"\n',
        '[[dictionaries]]\nnetworks = ["single"]\nlayers = [4]\nn_atoms = [8, 4]\nk = [2]\nsteps = 7\nbatch = 6\n'
        "learning_rate = 1\nseeds = [1, 2]\neffects = false\nimages = 3\n",
    )
    (faces,) = spec.data
    assert (faces.kind, faces.path, faces.size, faces.cohort) == ("celeba", "${FACES}/x", (4, 5), 2)
    assert (faces.validation, faces.test, faces.split_seed, faces.how) == (1, 3, 9, "cover")
    assert (faces.channels, faces.turn, faces.pattern) == (1, True, "*.png")
    (wide,) = spec.backbones
    assert wide.cohort == RecipeSpec(
        "small", (("width", (64, 128)), ("learning_rate", (1.0,)), ("stop_psnr", ("none",)))
    )
    assert wide.cohort.axes == ("width",)
    assert isinstance(dict(wide.cohort.overrides)["learning_rate"][0], float)
    assert (spec.title, spec.seeds, spec.cohort_seeds, spec.metrics) == ("A toy", (3, 1), (5,), ("psnr",))
    (transfers,), (singles,), (dictionaries,) = spec.transfers, spec.singles, spec.dictionaries
    assert (transfers.freeze, transfers.rest, transfers.images) == ((0, "scratch"), ("warm",), 2)
    assert (singles.data, singles.backbones, singles.split) == (("faces",), ("wide",), "validation")
    assert (dictionaries.networks, dictionaries.layers, dictionaries.n_atoms) == (("single",), (4,), (8, 4))
    assert (dictionaries.steps, dictionaries.batch, dictionaries.learning_rate) == (7, 6, 1.0)
    assert (dictionaries.seeds, dictionaries.effects, dictionaries.images) == ((1, 2), False, 3)


def test_all_faults_stand_in_one_message() -> None:
    with pytest.raises(InputError) as refused:
        parse_study(
            TOP + '[data.faces]\nkind = "folder"\npath = "x"\nsize = [178]\n'
            "[backbones.siren]\ncohort = { omega0 = 30.0 }\n[backbones.ffmlp]\n[[transfers]]\nfreeze = [7]\n",
            "paper.toml",
            HERE,
        )
    assert str(refused.value) == (
        "paper.toml has 3 faults: data.faces.size must be [height, width] of at least 1 pixel each, not [178]; "
        "backbones.siren.cohort.omega0 is not known (did you mean omega_0?); "
        "transfers[0].freeze: tau 7 is beyond the last layer of ffmlp, 4."
    )


NAME = "a name of letters, digits, dots, dashes and underscores"
NUMBERS = "a list of one or more whole numbers of at least 0, each once"


@pytest.mark.parametrize(
    ("top", "words"),
    [
        ('format = 1\nname = "a b"\n', f'name must be {NAME}, not "a b"'),
        ("format = 1\n", f"name is missing: it must be {NAME}"),
        ('name = "toy"\n', "format is missing: it must be 1"),
        ('format = 0\nname = "toy"\n', "format must be 1, not 0"),
        ('format = "1"\nname = "toy"\n', 'format must be 1, not "1"'),
        (TOP + "seeds = []\n", f"seeds must be {NUMBERS}, not []"),
        (TOP + "seeds = [0, 1, 0]\n", f"seeds must be {NUMBERS}, not [0, 1, 0]"),
        (TOP + "seeds = [-1]\n", f"seeds must be {NUMBERS}, not [-1]"),
        (TOP + "seeds = 0\n", f"seeds must be {NUMBERS}, not 0"),
        (TOP + "seeds = [true]\n", f"seeds must be {NUMBERS}, not [true]"),
        (TOP + "cohort_seeds = [0.5]\n", f"cohort_seeds must be {NUMBERS}, not [0.5]"),
        (TOP + "seed = [0]\n", "seed is not known (did you mean seeds?)"),
        (
            TOP + 'metrics = ["psnr", "fid"]\n',
            'metrics must be a list of one or more of psnr, ssim, lpips, each once, not ["psnr", "fid"]',
        ),
        (TOP + 'title = ""\n', 'title must be a text, not ""'),
        (TOP + "singles = 3\n", "singles must be tables [[singles]], not 3"),
        (TOP + "singles = [3]\n", "singles[0] must be a table, not 3"),
    ],
)
def test_faults_at_the_top(top: str, words: str) -> None:
    assert fault(top, DATA, NETS, TRANSFERS) == words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('kind = "png"\npath = "a"', f'kind must be one of {KINDS}, not "png"'),
        ('path = "a"', f"kind is missing: it must be one of {KINDS}"),
        ('kind = "kodak"', "path is missing: it must be the folder of the kodak pictures"),
        ('kind = "bundled"\npath = "a"', "path has no meaning for the bundled pictures: leave it out"),
        (
            'kind = "noise:uniform"\npath = "a"',
            "path has no meaning for noise, which is drawn: leave it out",
        ),
        (
            'kind = "noise:uniform"\ntest = 2',
            "size is missing: noise is drawn, so its size and number must be said",
        ),
        (
            'kind = "bundled"\nsize = [0, 5]',
            "size must be [height, width] of at least 1 pixel each, not [0, 5]",
        ),
        ('kind = "bundled"\ncohort = -1', "cohort must be a whole number of at least 0, not -1"),
        ('kind = "bundled"\ntest = 2.0', "test must be a whole number of at least 0, not 2.0"),
        ('kind = "bundled"\nchannels = 2', "channels must be 1 or 3, not 2"),
        ('kind = "bundled"\nchannels = true', "channels must be 1 or 3, not true"),
        (
            'kind = "bundled"\nturn = true\nsize = [5, 4]',
            "size: with `turn` every picture lies on its side, but [5, 4] is upright",
        ),
        ('kind = "bundled"\nturn = 1', "turn must be true or false, not 1"),
        ('kind = "bundled"\nhow = "fit"', 'how must be one of resize, cover, crop, not "fit"'),
        ('kind = "bundled"\npatern = "*"', "patern is not known (did you mean pattern?)"),
    ],
)
def test_faults_of_a_data_set(data: str, words: str) -> None:
    assert fault(TOP, f"[data.faces]\n{data}\n", NETS, TRANSFERS) == f"data.faces.{words}"


def test_a_study_has_data_sets_and_backbones_with_names_that_tables_can_print() -> None:
    assert fault(TOP, "[data]\n", NETS, TRANSFERS) == f"data must be tables [data.NAME] with {NAME}, not {{}}"
    assert fault(TOP, DATA, TRANSFERS).startswith("backbones is missing: it must be tables [backbones.NAME]")
    assert fault(TOP, '[data."a/b"]\nkind = "bundled"\n', NETS, TRANSFERS).startswith("data must be tables")
    assert fault(TOP, "backbones = 3\n", DATA, TRANSFERS).endswith(f"with {NAME}, not 3")
    assert fault(TOP, "data.faces = 3\n", NETS, TRANSFERS) == "data.faces must be a table, not 3"


NO_SETTING = "is a setting of the network, which is the cohort's: set it there"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cohort = 3", '.cohort must be a table such as { recipe = "paper", steps = 1000 }, not 3'),
        ("chort = {}", ".chort is not known (did you mean cohort?)"),
        ('backbone = "sirn"', '.backbone: backbone "sirn" is not known (did you mean siren?)'),
        ('cohort = { recipe = "papr" }', ".cohort.recipe: recipe 'papr' is not known, allowed are paper, fast, small"),
        ("cohort = { recipe = 3 }", ".cohort.recipe must be the name of a recipe or the path of its file, not 3"),
        (
            'single = { recipe = "best.toml" }',
            f".single.recipe: recipe file {HERE / 'best.toml'} could not be read: No such file or directory",
        ),
        ("cohort = { sigma = 3.0 }", ".cohort.sigma is not known"),
        ("cohort = { name = 3.0 }", ".cohort.name is not known"),
        ("transfer = { omega_0 = 3.0 }", f".transfer.omega_0 {NO_SETTING}"),
        (
            "cohort = { coordinate_range = [1.0, 0.0] }",
            ".cohort.coordinate_range must be two finite numbers, the first sample's coordinate and the last's, the "
            "smaller first, such as (-1, 1) or (0, 1), not (1.0, 0.0)",
        ),
        ("cohort = { coordinate_range = 1.0 }", ".cohort.coordinate_range must be a list of numbers, not 1.0"),
        ("cohort = { bias = 'none' }", ".cohort.bias must be one of torch, weights, zero, not 'none'"),
        ("cohort = { steps = 1.5 }", ".cohort.steps must be a whole number, not 1.5"),
        ("cohort = { steps = true }", ".cohort.steps must be a whole number, not true"),
        ('cohort = { batch = "all" }', '.cohort.batch must be a whole number or "none", not "all"'),
        ('cohort = { steps = "none" }', '.cohort.steps must be a whole number, not "none"'),
        ('cohort = { schedule = "step" }', '.cohort.schedule must be one of constant, cosine, exponential, not "step"'),
        ('single = { learning_rate = "1e-4" }', '.single.learning_rate must be a number, not "1e-4"'),
        ("single = { steps = 0 }", ".single.steps must be at least 1, not 0"),
        ("single = { steps = [5, 0] }", ".single.steps must be at least 1, not 0"),
        ("single = { learning_rate = nan }", ".single.learning_rate must be positive and at most 1e30, not nan"),
        ("transfer = { muon_momentum = 1 }", ".transfer.muon_momentum must lie in [0, 1), not 1.0"),
        ("cohort = { depth = 0 }", ".cohort.depth must be at least 1, not 0"),
        ("cohort = { omega_0 = -1.0 }", ".cohort.omega_0 must be one positive number, or 5 of them, not -1.0"),
        ("cohort = { steps = [] }", ".cohort.steps must be one value, or a list of one or more, each once, not []"),
        (
            "cohort = { omega_0 = [30, 30.0] }",
            ".cohort.omega_0 must be one value, or a list of one or more, each once, not [30, 30.0]",
        ),
        (
            "cohort = { omega_0 = [[1.0, 2.0]] }",
            ".cohort.omega_0 must be one value, or a list of them as an axis, not [[1.0, 2.0]]",
        ),
    ],
)
def test_faults_of_a_recipe(line: str, words: str) -> None:
    transfers = '[[transfers]]\nfreeze = ["none"]\n'
    found = fault(TOP, DATA, f"[backbones.siren]\n{line}\n", transfers)
    assert found.removeprefix("backbones.siren").startswith(words)
    if not words.endswith("not known"):
        assert found == f"backbones.siren{words}"


def test_a_bad_number_does_not_hide_another() -> None:
    line = '[backbones.siren]\ncohort = { stepz = 3, steps = 0, batch = "x" }\ntransfer = { steps = 0 }\n'
    assert faults(TOP, DATA, line, TRANSFERS) == [
        "backbones.siren.cohort.stepz is not known (did you mean steps?)",
        'backbones.siren.cohort.batch must be a whole number or "none", not "x"',
        "backbones.siren.cohort.steps must be at least 1, not 0",
        "backbones.siren.transfer.steps must be at least 1, not 0",
    ]


def test_a_backbone_whose_table_has_another_name_says_what_it_is() -> None:
    assert fault(TOP, DATA, "[backbones.hologram]\n", TRANSFERS) == (
        f'backbones.hologram: backbone "hologram" is not known (allowed are {", ".join(backbone_names())})'
    )
    assert parsed(TOP, DATA, '[backbones.mine]\nbackbone = "siren"\n', TRANSFERS).backbones[0].backbone == "siren"


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("[[transfers]]\n", "freeze is missing: it must be a list of one or more layers of at least 0,"),
        ("[[transfers]]\nfreeze = []\n", "freeze must be a list of one or more layers"),
        ('[[transfers]]\nfreeze = ["auto"]\n', "freeze must be a list of one or more layers"),
        ("[[transfers]]\nfreeze = [1, 1]\n", "freeze must be a list of one or more layers"),
        ("[[transfers]]\nfreeze = [-1]\n", "freeze must be a list of one or more layers"),
        ("[[transfers]]\nfreeze = [true]\n", "freeze must be a list of one or more layers"),
        (
            '[[transfers]]\nfreeze = [0]\nrest = ["cold"]\n',
            'rest must be a list of one or more of reinit, warm, each once, not ["cold"]',
        ),
        ("[[transfers]]\nfreeze = [0]\nsources = []\n", "sources must be a list of one or more names of data sets"),
        ("[[transfers]]\nfreeze = [0]\nimages = 0\n", "images must be a whole number of at least 1, not 0"),
        ('[[transfers]]\nfreeze = [0]\nsplit = "all"\n', 'split must be one of test, validation, not "all"'),
        (
            '[[transfers]]\nfreeze = [0]\nsplit = "validation"\n',
            "!: no data set has validation pictures, give one a `validation` of at least 1",
        ),
        (
            '[[transfers]]\nfreeze = [0]\nsplit = "validation"\ntargets = ["faces"]\n',
            "targets: data set 'faces' has no validation pictures, its `validation` is 0",
        ),
        ('[[transfers]]\nfreeze = [0]\nsources = ["face"]\n', "sources: data set 'face' is not known (did you mean"),
        ('[[transfers]]\nfreeze = [0]\ntargets = ["face"]\n', "targets: data set 'face' is not known (did you mean"),
        ('[[transfers]]\nfreeze = [0]\nbackbones = ["sir"]\n', "backbones: backbone 'sir' is not known (did you mean"),
        ('[[singles]]\ndata = ["x"]\n', "data: data set 'x' is not known (allowed are faces)"),
        ('[[singles]]\nbackbones = ["x"]\n', "backbones: backbone 'x' is not known (allowed are siren, ffmlp)"),
        ("[[singles]]\nfreeze = [1]\n", "freeze is not known (allowed are data, backbones, split, images)"),
        ('[[singles]]\nsplit = "validation"\n', "!: no data set has validation pictures, give one a `validation`"),
        ('[[dictionaries]]\nsources = ["x"]\n', "sources: data set 'x' is not known (allowed are faces)"),
        ('[[dictionaries]]\nnetworks = ["one"]\n', "networks must be a list of one or more of cohort, single, each"),
        (
            "[[dictionaries]]\nk = [64]\nn_atoms = [32, 16]\n",
            "k: 64 is above every n_atoms, of which the largest is 32",
        ),
        ("[[dictionaries]]\nk = [4]\nn_atoms = [2]\n", "k: 4 is above every n_atoms"),
        ("[[dictionaries]]\nk = [4]\nn_atoms = [2, 4]\n", "n_atoms: 2 is below every k, of which the smallest is 4"),
        ("[[dictionaries]]\nk = [0]\n", "k must be a list of one or more whole numbers of at least 1, each once"),
        ("[[dictionaries]]\nn_atoms = [2_000_000]\n", "n_atoms must be at most 1,048,576, not 2,000,000"),
        ("[[dictionaries]]\nlearning_rate = 0\n", "learning_rate must be a positive number of at most 1e30, not 0"),
        ("[[dictionaries]]\nlearning_rate = nan\n", "learning_rate must be a positive number of at most 1e30, not nan"),
        ("[[dictionaries]]\nseeds = [-1]\n", "seeds must be a list of one or more whole numbers of at least 0"),
        ("[[dictionaries]]\nsteps = 0\n", "steps must be a whole number of at least 1, not 0"),
    ],
)
def test_faults_of_a_group(group: str, words: str) -> None:
    where = re.search(r"\w+", group)
    assert where is not None
    path = f"{where[0]}[0]"
    found = faults(TOP, DATA, NETS, group)
    assert found[0].startswith(path + (words[1:] if words[0] == "!" else f".{words}")), found
    assert len(found) == 1


def test_a_second_group_is_named_by_its_place() -> None:
    assert fault(TOP, DATA, NETS, TRANSFERS, "[[transfers]]\nfreeze = [9]\nbackbones = ['siren']\n") == (
        "transfers[1].freeze: tau 9 is beyond the last layer of siren, 4"
    )


def test_no_group_at_all_is_nothing_to_do() -> None:
    assert fault(TOP, DATA, NETS) == "there is nothing to do: give [[transfers]], [[singles]] or [[dictionaries]]"


def test_the_depth_is_that_of_every_value_of_an_axis() -> None:
    nets = "[backbones.siren]\ncohort = { depth = [6, 3] }\nsingle = { depth = 2 }\n"
    assert fault(TOP, DATA, nets, "[[transfers]]\nfreeze = [2, 3]\n") == (
        "transfers[0].freeze: tau 3 is beyond the last layer of siren, 2"
    )
    # Dictionaries take the first value of each axis.
    parsed(TOP, DATA, nets, "[[dictionaries]]\nlayers = [5]\n")
    assert fault(TOP, DATA, nets, "[[dictionaries]]\nlayers = [6]\n") == (
        "dictionaries[0].layers: layer 6 is beyond the last layer of siren, 5"
    )
    both = '[[dictionaries]]\nnetworks = ["cohort", "single"]\nlayers = [1, 2]\n'
    assert fault(TOP, DATA, nets, both) == "dictionaries[0].layers: layer 2 is beyond the last layer of siren, 1"
    same = '[[dictionaries]]\nnetworks = ["cohort", "single"]\nlayers = [5]\nbackbones = ["ffmlp"]\n'
    assert fault(TOP, DATA, NETS, same) == "dictionaries[0].layers: layer 5 is beyond the last layer of ffmlp, 4"


def test_source_and_target_have_one_number_of_channels() -> None:
    grey = '[data.mri]\nkind = "folder"\npath = "mri"\nchannels = 1\n'
    words = "give both the same (3 repeats a grey picture's)"
    assert fault(TOP, DATA, grey, NETS, TRANSFERS) == (
        f"transfers[0]: source faces has 3 channels and target mri 1 channel: {words}"
    )
    parsed(TOP, DATA, grey, NETS, '[[transfers]]\nfreeze = [0]\nsources = ["mri"]\ntargets = ["mri"]\n')
    parsed(TOP, DATA, grey, NETS, '[[transfers]]\nfreeze = ["scratch"]\n')


def test_a_source_has_a_cohort_and_a_measured_set_pictures() -> None:
    target = '[data.target]\nkind = "folder"\npath = "x"\ncohort = 0\n'
    words = "data set 'target' has no cohort, its `cohort` is 0: name only sources with one"
    assert fault(TOP, DATA, target, NETS, TRANSFERS) == f"transfers[0].sources: {words}"
    assert fault(TOP, DATA, target, NETS, "[[dictionaries]]\n") == f"dictionaries[0].sources: {words}"
    parsed(TOP, DATA, target, NETS, '[[transfers]]\nfreeze = [0]\nsources = ["faces"]\n')
    empty = '[data.faces]\nkind = "folder"\npath = "x"\ntest = 0\nvalidation = 1\n'
    words = "no data set has test pictures, give one a `test` of at least 1"
    assert fault(TOP, empty, NETS, TRANSFERS) == f"transfers[0]: {words}"
    assert fault(TOP, empty, NETS, '[[dictionaries]]\nnetworks = ["single"]\n') == f"dictionaries[0]: {words}"
    parsed(TOP, empty, NETS, "[[dictionaries]]\n")
    # Of all data sets, those with a validation split are meant.
    parsed(TOP, empty, DATA.replace("faces", "more"), NETS, '[[singles]]\nsplit = "validation"\n')


def test_a_search_gives_every_backbone_the_same_budget() -> None:
    data = DATA + "validation = 2\n"
    search = '[[transfers]]\nfreeze = [0]\nsplit = "validation"\n'
    rule = "transfers[0]: a search on the validation split gives every backbone the same budget, but"
    six = "[backbones.siren]\ntransfer = { learning_rate = [1e-4, 2e-4] }\ncohort = { omega_0 = [20, 30, 40] }\n"
    four = "[backbones.ffmlp]\ntransfer = { learning_rate = [1e-4, 2e-4] }\ncohort = { sigma = [5, 10] }\n"
    assert fault(TOP, data, six, four, search) == f"{rule} siren has 6 and ffmlp 4 settings"
    even = four.replace("[5, 10]", "[5, 10, 15]")
    spec = parsed(TOP, data, six, even, search)
    assert [backbone.cohort.axes for backbone in spec.backbones] == [("omega_0",), ("sigma",)]
    longer = even.replace("transfer = {", "transfer = { steps = 400,")
    assert fault(TOP, data, six, longer, search) == f"{rule} siren has 500 and ffmlp 400 transfer steps"
    # Alone, on the test split, or without an axis, there is nothing to be fair about.
    parsed(TOP, data, six, four, search + 'backbones = ["siren"]\n')
    parsed(TOP, data, six, four, "[[transfers]]\nfreeze = [0]\n")
    parsed(TOP, data, "[backbones.siren]\n[backbones.ffmlp]\ntransfer = { steps = 9 }\n", search)
    single = "[backbones.siren]\nsingle = { steps = [5, 6] }\n[backbones.ffmlp]\nsingle = { steps = [5, 7] }\n"
    assert fault(TOP, data, single, '[[singles]]\nsplit = "validation"\n') == (
        f"{rule.replace('transfers', 'singles')} siren has 5, 6 and ffmlp 5, 7 single steps"
    )


def test_a_study_is_a_file_or_one_that_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes("".join((TOP, DATA, NETS, TRANSFERS)).replace("\n", "\r\n").encode())
    monkeypatch.chdir(tmp_path)
    found = read_study("mine.toml")
    assert (found.spec.name, found.base) == ("toy", tmp_path)
    assert found.source == "".join((TOP, DATA, NETS, TRANSFERS))
    assert read_study(file) == found
    assert read_study("bundled").base == tmp_path
    with pytest.raises(InputError, match=r"^study 'papr' is not known: give the path of a \.toml file, or one that "):
        read_study("papr")
    with pytest.raises(InputError, match=r"^study none\.toml could not be read: No such file or directory\.$"):
        read_study("none.toml")
    with pytest.raises(InputError, match=r"could not be read: Is a directory\.$"):
        read_study(tmp_path)
    file.write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"mine\.toml is not UTF-8 text, which a study's file is\.$"):
        read_study(file)


def test_what_is_no_toml_is_named_by_its_line() -> None:
    with pytest.raises(InputError, match=r"^toy\.toml is not valid TOML: [a-z].*\(at line 2, column \d+\)\.$"):
        parsed("format = 1\nname = = 3\n")
    with pytest.raises(InputError, match=r"^toy\.toml is not valid TOML: .*line 5"):
        parsed(TOP, "[data.a]\n[data.b]\n[data.a]\n")
    with pytest.raises(InputError, match=r"^toy\.toml is not valid TOML: "):
        parsed("x = " + "[" * 5000)
    with pytest.raises(InputError, match=r"^toy\.toml is not valid TOML: "):
        parsed("x = 1" + "0" * 5000)


def test_a_newer_format_asks_for_a_newer_inrlens() -> None:
    with pytest.raises(InputError) as refused:
        parsed("format = 2\nnothing = 'that is known today'\n")
    assert str(refused.value) == (
        "toy.toml is written in format 2, this InrLens reads format 1: install a newer InrLens."
    )


WORDS = st.sampled_from(["none", "faces", "siren", "x"])
KEYS = st.sampled_from(["kind", "path", "recipe", "steps", "freeze", "k", "cohort"])
ANYTHING = st.recursive(
    st.booleans() | st.integers(-2, 2) | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
PLACES = ["data.faces", "backbones.siren", "transfers", "singles", "dictionaries", "seeds", "name"]


@hypothesis.settings(max_examples=150)
@given(ANYTHING, st.sampled_from(PLACES))
def test_whatever_stands_in_a_file_is_read_or_refused_in_words(value: object, where: str) -> None:
    others = {"name": 'name = "toy"\n', "siren": "[backbones.siren]\n", "faces": DATA, "transfers": TRANSFERS}
    rest = [part for key, part in others.items() if key not in where]
    found: StudySpec | str
    try:
        found = parsed("format = 1\n", f"{where} = {toml_value(value)}\n", *rest)
    except InputError as error:
        found = str(error)
    if isinstance(found, str):
        assert re.match(r"toy\.toml has \d+ faults?: ", found), found
        assert where.partition(".")[0] in found
    else:
        assert found.data
        assert found.backbones


def test_a_grid_is_the_product_of_its_axes_in_the_files_order() -> None:
    spec = RecipeSpec("paper", (("omega_0", (30.0, 40.0)), ("batch", (64,)), ("learning_rate", (1e-4, 5e-4, 1e-3))))
    siren = BackboneSpec("mine", "siren")
    grid = recipe_grid(spec, "cohort", siren, HERE)
    expected = list(product((30.0, 40.0), (1e-4, 5e-4, 1e-3)))
    assert [variant for variant, _ in grid] == [
        (("cohort.omega_0", omega), ("cohort.learning_rate", rate)) for omega, rate in expected
    ]
    paper = named("paper", "cohort", "siren")
    for (_, recipe), (omega, rate) in zip(grid, expected, strict=True):
        changed = replace(paper, backbone=Siren(omega_0=omega), batch=64, learning_rate=rate, name=recipe.name)
        assert recipe == changed


def test_a_range_of_coordinates_is_one_value_and_a_list_of_ranges_an_axis() -> None:
    one = "[backbones.siren]\ncohort = { coordinate_range = [0.0, 1.0], steps = [5, 6] }\n"
    two = "[backbones.siren]\ncohort = { coordinate_range = [[0.0, 1], [-1.0, 1.0]] }\n"
    last = '[[transfers]]\nfreeze = ["none"]\n'
    for text, axes, ranges in (
        (one, ("steps",), [(0.0, 1.0)] * 2),
        (two, ("coordinate_range",), [(0.0, 1.0), (-1.0, 1.0)]),
    ):
        (backbone,) = parsed(TOP, DATA, text, last).backbones
        assert backbone.cohort.axes == axes
        grid = recipe_grid(backbone.cohort, "cohort", backbone, HERE)
        assert [recipe.backbone.coordinate_range for _, recipe in grid if recipe.backbone is not None] == ranges
    assert [variant for variant, _ in grid] == [(("cohort.coordinate_range", span),) for span in ranges]


def test_a_recipe_without_overrides_is_the_tables() -> None:
    for name, task, backbone in product(
        ("paper", "fast", "small"), ("single", "cohort", "transfer"), ("siren", "ffmlp")
    ):
        assert recipe_grid(RecipeSpec(name), task, BackboneSpec("b", backbone), HERE) == [
            ((), named(name, task, backbone))
        ]


def test_none_takes_a_number_away_and_is_a_value_of_an_axis() -> None:
    spec = RecipeSpec("fast", (("stop_psnr", ("none", 30)), ("batch", ("none",)), ("frequencies", (8,))))
    grid = recipe_grid(spec, "cohort", BackboneSpec("ffmlp", "ffmlp"), HERE)
    assert [variant for variant, _ in grid] == [(("cohort.stop_psnr", "none"),), (("cohort.stop_psnr", 30),)]
    assert [(recipe.stop_psnr, recipe.batch) for _, recipe in grid] == [(None, None), (30.0, None)]
    assert grid[0][1].backbone == FFMLP(sigma=10.0, frequencies=8)


def test_a_grid_refuses_what_no_recipe_has() -> None:
    siren = BackboneSpec("siren", "siren")
    with pytest.raises(InputError, match=r"^transfer recipe of siren: omega_0 is not known; allowed are steps, "):
        recipe_grid(RecipeSpec("paper", (("omega_0", (3.0,)),)), "transfer", siren, HERE)
    with pytest.raises(InputError, match=r"^cohort recipe of siren: steps must be a whole number, not 1\.5\.$"):
        recipe_grid(RecipeSpec("paper", (("steps", (1.5,)),)), "cohort", siren, HERE)
    with pytest.raises(InputError, match=r"^backbone 'mine' is not known"):
        recipe_grid(RecipeSpec("paper", (("steps", (5,)),)), "cohort", BackboneSpec("mine", "mine"), HERE)


def test_every_number_of_a_recipe_can_be_an_axis() -> None:
    shares = dict.fromkeys(("adam_beta2", "muon_momentum"), (0.5, 0.6))
    values = {
        "optimizer": ("adam", "muon"),
        "schedule": ("constant", "cosine"),
        "iteration": ("step", "pass"),
        **shares,
    }
    for name in recipe_knobs():
        spec = RecipeSpec("paper", ((name, values.get(name, (1, 2))),))
        assert len(recipe_grid(spec, "single", BackboneSpec("siren", "siren"), HERE)) == 2


@pytest.mark.parametrize("name", SHIPPED)
def test_the_studies_that_ship_are_sound(name: str) -> None:
    found = read_study(name)
    assert found.spec.name == name
    assert found.source.startswith("# ")
    assert max(len(line) for line in found.source.splitlines()) <= 120


def test_the_paper_has_6_cohorts_and_23112_transfers() -> None:
    spec = read_study("paper").spec
    (group,) = spec.transfers
    assert len(spec.data) * len(spec.backbones) * len(spec.cohort_seeds) == 6
    settings = sum(1 if isinstance(freeze, str) else len(group.rest) for freeze in group.freeze)
    pictures = sum(one.test or 0 for one in spec.data)
    assert len(spec.data) * len(spec.backbones) * pictures * settings * len(spec.seeds) == 23_112
    assert {one.name: one.size for one in spec.data} == {
        "celeba": (218, 178),
        "oasis": (160, 192),
        "kodak": (512, 768),
    }
    assert {one.name: one.validation for one in spec.data} == {"celeba": 50, "oasis": 50, "kodak": 0}
    for backbone in spec.backbones:
        for task in ("cohort", "transfer", "single"):
            assert recipe_grid(getattr(backbone, task), task, backbone, HERE) == [
                ((), named("paper", task, backbone.name))
            ]


def test_the_papers_dictionaries_are_the_four_conditions_and_20_a_layer() -> None:
    conditions, sweep = read_study("paper").spec.dictionaries
    assert set(conditions.networks) == {"cohort", "single"}
    assert (conditions.n_atoms, conditions.k, conditions.layers) == ((4096,), (32,), ())
    assert (conditions.steps, conditions.learning_rate, conditions.effects) == (10_000, 1e-4, True)
    assert len(sweep.n_atoms) * len(sweep.k) == 20
    assert (sweep.sources, sweep.networks, sweep.layers) == (("celeba",), ("cohort",), ())


def test_the_small_study_asks_the_same_of_fewer_and_smaller_pictures() -> None:
    small, paper = read_study("paper-small").spec, read_study("paper").spec
    assert set(small.transfers[0].freeze) == {"scratch", *paper.transfers[0].freeze}
    assert set(small.transfers[0].rest) == {"reinit", "warm"}
    for backbone in small.backbones:
        for task in ("cohort", "transfer", "single"):
            ((_, recipe),) = recipe_grid(getattr(backbone, task), task, backbone, HERE)
            assert replace(recipe, name="", batch=None) == replace(named("paper", task, backbone.name), name="")
            assert recipe.batch == 1024


def test_the_bundled_study_needs_no_folder() -> None:
    spec = read_study("bundled").spec
    assert [one.path for one in spec.data] == [None]
    assert spec.data[0].cohort + (spec.data[0].test or 0) == 16
