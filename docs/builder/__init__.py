"""Build the documentation site: `python -m docs.builder`."""
