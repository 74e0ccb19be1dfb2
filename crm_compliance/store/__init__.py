"""The state of the service: plans, runs with their journal, and the ledger, in SQLite or PostgreSQL."""
