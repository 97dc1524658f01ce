"""Modules that every generated package needs: plain Python, copied as they are."""
