"""Writes put into change sets and batches, and their answers."""
