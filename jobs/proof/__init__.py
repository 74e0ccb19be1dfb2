"""Proof of what was done and that nothing was left out, for as long as it is kept."""
