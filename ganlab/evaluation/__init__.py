"""Samples, metrics and pictures of a module, always from the averaged weights and fixed seeds."""
