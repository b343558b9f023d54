"""Losses and regularizers that any family can use."""
