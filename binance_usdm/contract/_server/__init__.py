"""A server or proxy on the network against the document."""
