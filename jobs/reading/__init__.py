"""Rows read from the CRM and put together into units."""
