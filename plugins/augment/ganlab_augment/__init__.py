"""Augmentations of what the discriminator sees; differentiable, so that the generator learns through them."""
