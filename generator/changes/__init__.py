"""Compare two specs and say what the difference means for users.

Facts of both documents are compared by tables of rules; the worst rule decides the step.
"""
