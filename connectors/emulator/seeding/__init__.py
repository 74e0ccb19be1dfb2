"""Fictitious organisations: the same rows for the same seed."""
