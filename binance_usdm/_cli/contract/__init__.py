"""The `contract` commands."""
