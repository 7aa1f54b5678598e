"""What the verbs of a study begin with: the study read, its cells listed, its store opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inrlens.cli.output import warn
from inrlens.errors import InputError
from inrlens.studies.config.locate import Located, locate

if TYPE_CHECKING:
    from inrlens.studies.cells.plan import DataFile, StudyPlan
    from inrlens.studies.store.store import Store
    from inrlens.studies.store.stored import StoredFile


@dataclass(frozen=True)
class Opened:
    """A study with every cell; ``sketched`` where its data sets are not at hand and pictures are known by size alone,
    ``missing`` then says what is."""

    located: Located
    plan: "StudyPlan"
    missing: str | None = None

    @property
    def sketched(self) -> bool:
        """Whether the cells' keys are not those of the study itself."""
        return self.missing is not None


def open_study(
    study: str, store: Path | None, weights: Path | None, device: str = "cpu", *, sketch: bool = False
) -> Opened:
    """Reads a study and lists its cells; where ``sketch`` is allowed, also without its data sets.

    Raises:
        InputError: where the study is at fault, or a data set cannot be read as asked for.
    """
    from inrlens.metrics.lpips_weights import find_weights
    from inrlens.studies.cells.build_plan import plan_study, sketch_study
    from inrlens.studies.config.read import read_study

    located = locate(study, store)
    read = read_study(study)
    lpips = find_weights(weights) if "lpips" in read.spec.metrics else None
    try:
        return Opened(located, plan_study(read.spec, read.source, read.base, lpips=lpips, device=device))
    except InputError as error:
        if not sketch:
            raise
        return Opened(located, sketch_study(read.spec, read.source, read.base, device=device), str(error))


def warn_without_lpips(plan: "StudyPlan") -> None:
    """Says that LPIPS is asked for and will not be computed."""
    if "lpips" in plan.spec.metrics and plan.lpips is None:
        warn(
            "LPIPS will not be computed, its weights are not here: 'inrlens weights lpips' fetches them, "
            "--lpips-weights names them."
        )


def open_store(located: Located) -> "Store":
    """The store of a study that has been run, to read.

    Raises:
        InputError: where there is none, or it does not know the study.
    """
    from inrlens.studies.store.store import Store

    store = Store.open(located.store)
    try:
        recorded = store.study_source(located.name)
    except BaseException:
        store.close()
        raise
    if located.source is not None and located.source != recorded:
        warn(f"the file of {located.name} is not what was run last; this is what that run found.")
    return store


def warn_of_other_files(store: "Store", plan: "StudyPlan") -> None:
    """Says which data sets are not what an earlier run of the study found: their cells are computed anew."""
    name = plan.spec.name
    before = {(file.data, file.name): file for file in store.files(name)} if name in store.studies() else {}
    if not before:
        return
    known = {file.data for file in before.values()}
    for data in dict.fromkeys(file.data for file in plan.files):
        own = [file for file in plan.files if file.data == data]
        if data in known and (changed := _changed(before, own)):
            shown = ", ".join(changed[:3]) + (" and more" if len(changed) > 3 else "")
            warn(
                f"data set {data!r} is not what the last run found ({shown}): the cells of these pictures are computed "
                "anew."
            )


def _changed(before: "dict[tuple[str, str], StoredFile]", own: "Sequence[DataFile]") -> list[str]:
    return [
        file.name
        for file in own
        if (file.data, file.name) not in before
        or (before[file.data, file.name].digest, before[file.data, file.name].split) != (file.digest, file.split)
    ]


def known_diverged(store: "Store", study: str) -> int:
    """How many fits and trainings of a study diverged."""
    found = {cell.key: cell.result for cell in store.stored(study) if cell.result is not None}
    return sum(result.get("outcome") == "diverged" for result in found.values())
