"""The kinds of data sets, and what is known of them: where pictures lie, what they are called, how many there are."""

from dataclasses import dataclass
from typing import Literal

DataKind = Literal[
    "folder",
    "celeba",
    "celeba-hq",
    "kodak",
    "oasis",
    "bundled",
    "noise:uniform",
    "noise:gaussian",
    "noise:dead-leaves",
    "noise:spectrum",
]
NOISE = "noise:"
"""How the kinds begin that are drawn (``noise_cohort``) instead of read; the name of the noise follows."""


@dataclass(frozen=True)
class Layout:
    """How a data set comes to its users.

    ``places`` are shell patterns of folders inside the one that the user names, tried in turn: the first at which any
    picture lies counts. ``names`` is a regular expression of the files' names, whatever their case; ``example`` is one
    of them for messages. ``total`` is how many pictures the whole set has.
    """

    title: str
    places: tuple[str, ...]
    names: str
    example: str
    total: int


LAYOUTS: dict[DataKind, Layout] = {
    # Liu et al., Deep Learning Face Attributes in the Wild (2015); unpacked as it comes, or inside its other parts.
    "celeba": Layout(
        "CelebA",
        (
            ".",
            "img_align_celeba",
            "img_align_celeba/img_align_celeba",
            "Img/img_align_celeba",
            "celeba/img_align_celeba",
            "CelebA/Img/img_align_celeba",
        ),
        r"\d{6}\.(jpe?g|png)",
        "000001.jpg",
        202_599,
    ),
    # Karras et al., Progressive Growing of GANs (2018); flat, in folders by size, or in folders by split and class.
    # The masks of CelebAMask-HQ carry words in their names and stay out.
    "celeba-hq": Layout("CelebA-HQ", (".", "*", "*/*"), r"(img|imghq)?\d{1,6}\.(jpe?g|png)", "00000.png", 30_000),
    "kodak": Layout("Kodak", (".",), r"kodim\d{1,2}\.png", "kodim01.png", 24),
    # Hoopes et al., Learning the Effect of Registration Hyperparameters with HyperMorph (2022), after Marcus et al.,
    # OASIS (2007): a folder a subject.
    "oasis": Layout(
        "neurite-OASIS", ("*", "*/*"), r"slice_norm\.nii(\.gz)?", "OASIS_OAS1_0001_MR1/slice_norm.nii.gz", 414
    ),
}
"""The layout of every kind but ``folder`` (any pictures directly inside), ``bundled`` and noise."""
