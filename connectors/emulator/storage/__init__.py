"""Rows as they are kept: tables in SQLite, typed values, what a write or a delete brings about."""
