"""This distribution's name."""

DISTRIBUTION = "ganlab-objectives"
"""Presets write it in front of a plugin's name: they mean their own parts, whatever else is installed."""
