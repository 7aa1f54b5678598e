"""How good is a reconstruction? PSNR, SSIM and LPIPS on values in [0, 1]."""

from inrlens.metrics.psnr import psnr, psnr_from_mse, psnrs_from_squared_error
from inrlens.metrics.ssim import ssim

__all__ = ["psnr", "psnr_from_mse", "psnrs_from_squared_error", "ssim"]
