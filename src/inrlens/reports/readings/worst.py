"""Whether the atoms that cost most are those that a look at the largest magnitudes would find."""

from inrlens.reports import words
from inrlens.reports.parts import Examined
from inrlens.reports.readings.every import at


def worst_ten_reading(one: Examined, together: float | None) -> str:
    """Where the worst stands by mean magnitude, how many of the worst are among the first, and the rank correlation.

    ``together`` is the rank correlation of cost and mean magnitude over living atoms.
    """
    worst = one.atlas.worst
    first = worst[0]
    if first.psnr_drop <= 0.0:
        return words.sentence(f"no atom costs anything at {at(one)}")
    found = sum(atom.magnitude_rank <= len(worst) for atom in worst)
    text = (
        f"at {at(one)} the atom that costs most ({words.significant(first.psnr_drop, 2)}{words.THIN}dB) is number "
        f"{first.magnitude_rank} by mean magnitude, and {found or 'none'} of the {len(worst)} that cost most "
        f"{'is' if found == 1 else 'are'} among the {len(worst)} of largest magnitude"
    )
    if together is not None:
        text += f"; over all living atoms the rank correlation of cost and magnitude is {words.signed(together)}"
    return words.sentence(text)
