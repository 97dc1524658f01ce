"""Findings of a run, as lines, JUnit, JSON and HTML."""
