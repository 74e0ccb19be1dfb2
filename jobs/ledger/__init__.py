"""Tamper-evident history, pure: entries, heads, checkpoints, certificates, and how each is verified."""
