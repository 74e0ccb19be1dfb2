"""Picks the concrete things: connector, store, clock, policy, mapping, keys.

Nothing else knows which they are. Each is imported where it is made: most commands need two or three of them,
and all together take a second to load."""
