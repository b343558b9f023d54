"""ALI and BiGAN: an encoder plays with the generator (Dumoulin et al., 2017; Donahue et al., 2017)."""
