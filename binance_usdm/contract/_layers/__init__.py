"""Layers as a whole: with counts, a time budget, and problems by layer."""
