"""Recipes for pictures of one's own, by rules that stand in tables."""
