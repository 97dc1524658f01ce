"""Requests, responses and expectations that the layers share."""
