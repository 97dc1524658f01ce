"""Layers B and C, what a client sends and what it makes of responses."""
