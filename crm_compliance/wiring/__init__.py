"""Picks the concrete things, which nothing else knows: connector, store, clock, policy, mapping, keys."""
