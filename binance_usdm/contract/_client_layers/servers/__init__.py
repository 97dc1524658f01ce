"""Servers and networks on this machine that a client under test talks to."""
