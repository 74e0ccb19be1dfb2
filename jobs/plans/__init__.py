"""A plan from its first line to its approval."""
