"""Whole tables of the CRM put together in columns, each read once, for a plan over everything."""
