"""The mapping against this CRM: its tables, its privileges, what it can do."""
