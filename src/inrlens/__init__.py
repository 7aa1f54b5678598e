"""InrLens: fit coordinate networks to signals, find the layer that transfers, take every layer apart into atoms.

The public names are listed in ``__init__.pyi``; each is imported when it is first used, so that a command which
needs no tensors answers without loading torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
