"""Plans: all of them, one with its lines, and what people say on it."""
