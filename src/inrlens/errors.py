"""The one error that bad input raises."""


class InputError(ValueError):
    """What a user gave cannot be used; the message is one sentence that says what is allowed instead."""
