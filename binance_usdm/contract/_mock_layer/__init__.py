"""Layer A, a mock exchange against the document."""
