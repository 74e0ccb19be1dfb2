"""One module a table: what is written to it, and what is read from it."""
