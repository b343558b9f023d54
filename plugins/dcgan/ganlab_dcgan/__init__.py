"""DCGAN: convolutional generator and discriminator (Radford et al., 2015)."""
