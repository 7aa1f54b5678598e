"""Operations of SSIM and LPIPS, which depend on a picture's size alone."""

_SSIM_BLURS = 5
_SSIM_TAPS = 11
_TRUNK = ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1))
"""Channels in and out, kernel, stride and padding of AlexNet's five convolutions (Krizhevsky 2014, as in torchvision).
"""
_POOL_BEFORE = (False, True, True, False, False)
_POOL_KERNEL, _POOL_STRIDE = 3, 2


def ssim_operations(shape: tuple[int, ...], channels: int) -> float:
    """Of five separable blurs of 11 taps a channel."""
    height, width = shape[-2], shape[-1]
    inner_width, inner_height = max(0, width - _SSIM_TAPS + 1), max(0, height - _SSIM_TAPS + 1)
    return _SSIM_BLURS * 2.0 * _SSIM_TAPS * channels * inner_height * (width + inner_width)


def lpips_operations(shape: tuple[int, ...]) -> float:
    """Of the trunk's convolutions on two pictures; a grey one is repeated to three channels."""
    sides = [shape[-2], shape[-1]]
    found = 0.0
    for (d_in, d_out, kernel, stride, padding), pooled in zip(_TRUNK, _POOL_BEFORE, strict=True):
        if pooled:
            sides = [max(0, (side - _POOL_KERNEL) // _POOL_STRIDE + 1) for side in sides]
        sides = [max(0, (side + 2 * padding - kernel) // stride + 1) for side in sides]
        found += 2.0 * d_out * d_in * kernel * kernel * sides[0] * sides[1]
    return 2.0 * found
