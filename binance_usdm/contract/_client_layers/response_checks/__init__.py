"""Checks of what a client makes of a response: layer C."""
