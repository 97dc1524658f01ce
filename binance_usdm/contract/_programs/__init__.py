"""A program in any language, judged by four calls to the mock exchange."""
