"""Rows deleted by a job of the CRM, where that is quicker."""
