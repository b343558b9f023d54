"""HoloGAN: images of a volume of features that is turned (Nguyen-Phuoc et al., 2019)."""
