"""SinGAN: a pyramid of generators and discriminators that learns from one picture (Shaham et al., 2019)."""
