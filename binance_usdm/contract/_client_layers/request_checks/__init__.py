"""Checks of what a client sends: layer B."""
