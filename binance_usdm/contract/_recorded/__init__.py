"""Recorded responses against the document, without showing their values."""
