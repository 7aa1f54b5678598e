"""The published numbers that stand beside a study's, by the study's own names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inrlens.errors import InputError
from inrlens.reports.study.published import Published, counterpart, published
from inrlens.reports.study.told import SourceStore, told_spec


@dataclass(frozen=True)
class Beside:
    """The paper's names of a study's data sets and backbones; what has none is left out."""

    data: Mapping[str, str] = field(default_factory=dict)
    backbones: Mapping[str, str] = field(default_factory=dict)

    def of(self, source: str | None, target: str, backbone: str, tau: int | None) -> Published | None:
        """What the paper has for a setting whose rest is reinitialised; ``tau`` None: nothing frozen."""
        if source is None or source not in self.data or target not in self.data or backbone not in self.backbones:
            return None
        return published(self.data[source], self.data[target], self.backbones[backbone], tau)

    def ranks(self, source: str, backbone: str, name: str, depth: int) -> list[float | None]:
        """``sr_w`` or ``sr_h`` of the paper's cohort by layer."""
        targets = [*self.data.values()]
        if source is None or source not in self.data or backbone not in self.backbones:
            return [None] * depth
        theirs, network = self.data[source], self.backbones[backbone]
        found = [[published(theirs, target, network, layer) for target in targets] for layer in range(depth)]
        # The same for every target: they are the cohort's.
        return [next((getattr(one, name) for one in layer if one is not None), None) for layer in found]


def beside(store: SourceStore, study: str) -> Beside:
    """The names that a study's file gives; none where the file cannot be understood any more."""
    try:
        spec = told_spec(store, study)
    except InputError:
        return Beside()
    named = {data.name: counterpart(data) for data in spec.data}
    return Beside(
        {name: theirs for name, theirs in named.items() if theirs is not None},
        {backbone.name: backbone.backbone for backbone in spec.backbones},
    )
