"""What a composed sentence claims, whatever its wording: its numbers, its verdict, and the names that it must give."""

import re

_NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\u221e|[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)")


def plain(text: str) -> str:
    """With ordinary spaces and minus signs, and no space inside a number: 4096."""
    text = re.sub("(?<=[0-9])\u202f(?=[0-9]{3}(?![0-9]))", "", text)
    return re.sub(r"\s", " ", text.replace("\u2212", "-"))


def numbers(text: str) -> list[float]:
    """All numbers in the order that they stand in, a percentage as it is written; those inside words are none."""
    return [float(found.replace("\u221e", "inf")) for found in _NUMBER.findall(plain(text))]


def says(text: str, *parts: str | float, never: str | tuple[str, ...] = ()) -> bool:
    """Whether a text has these words and numbers in this order, and none of the words ``never``.

    Words and phrases are whole ones in either case, and what stands between them is free. Where numbers are given,
    they must be all that the text has, and no phrase may have one inside.
    """
    text, wrong = plain(text), (never,) if isinstance(never, str) else never
    given = [part for part in parts if not isinstance(part, str)]
    if any(_whole(one).search(text) for one in wrong) or (given and numbers(text) != given):
        return False
    at, found = 0, _NUMBER.finditer(text)
    for part in parts:
        match = _whole(part).search(text, at) if isinstance(part, str) else next(found)
        if match is None or match.start() < at:
            return False
        at = match.end()
    return True


def sentence(page: str, *words: str) -> str:
    """The first sentence of a text or an HTML page that has all of these words."""
    parts = re.split(r"<[^>]*>|(?<=[.!?])\s", page)
    return next(one for one in parts if all(_whole(word).search(plain(one)) for word in words))


def _whole(words: str) -> re.Pattern[str]:
    """Words at their ends, and numbers with their sign and all their digits."""
    words = plain(words)
    before = r"(?<![\w.-])" if words[0].isdecimal() else r"\b" if words[0].isalnum() else ""
    after = r"(?!\w|\.[0-9])" if words[-1].isalnum() else ""
    return re.compile(before + re.escape(words) + after, re.IGNORECASE)
