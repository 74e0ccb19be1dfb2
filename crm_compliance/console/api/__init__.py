"""The programmatic interface for scripts: what commands do, as JSON, for callers with a bearer token."""
