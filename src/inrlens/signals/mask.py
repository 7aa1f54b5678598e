"""Files that say which samples of a signal are used."""

from pathlib import Path

from jaxtyping import Bool
from torch import Tensor

from inrlens.signals.images import load_image
from inrlens.signals.nifti import NIFTI_SUFFIXES, load_nifti


def load_mask(path: str | Path) -> Bool[Tensor, "*grid"]:
    """Reads a mask: an image, or a NIfTI slice or volume; samples that are not 0 in every channel are used.

    Raises:
        InputError: as ``load_image`` and ``load_nifti``.
    """
    is_nifti = Path(path).name.lower().endswith(NIFTI_SUFFIXES)
    return (load_nifti(path) if is_nifti else load_image(path)).image().ne(0.0).any(-1)
