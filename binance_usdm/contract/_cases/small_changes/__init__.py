"""Valid requests with a small change, and what must come of them."""
