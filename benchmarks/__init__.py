"""Measure what a call costs, with this client and others: `make bench`. Not installed."""
