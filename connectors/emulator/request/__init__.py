"""One request as it was sent: its path, its preferences, its parts, and the fault that somebody planned for
it."""
