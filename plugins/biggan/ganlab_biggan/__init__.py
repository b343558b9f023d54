"""SNGAN, SAGAN, BigGAN and BigGAN-deep: residual networks for images with classes."""
