"""The original GAN: multilayer perceptrons for vectors and small images (Goodfellow et al., 2014)."""
