"""Modules that every generated package needs, copied without changes."""
