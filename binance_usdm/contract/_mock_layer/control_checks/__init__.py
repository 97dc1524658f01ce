"""Checks of what a test sets up in a mock exchange and reads from it."""
