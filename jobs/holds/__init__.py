"""The holds in force: placed and released, and how far each reaches."""
