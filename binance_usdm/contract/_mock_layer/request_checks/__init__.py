"""Checks of what a mock exchange responds to requests."""
