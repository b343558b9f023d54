"""InfoGAN: latent codes that a recognition head on the discriminator finds again (Chen et al., 2016)."""
