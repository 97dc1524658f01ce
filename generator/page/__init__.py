"""Compare saved documentation pages of the exchange with the spec."""
