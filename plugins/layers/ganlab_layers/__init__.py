"""Normalizers that any family can use."""
