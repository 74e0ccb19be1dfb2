"""Civil dates in Brussels: periods, ages, working days."""
