"""Rights other than access: what can be granted, what was, and what is done about it."""
