"""What this CRM is: its tables, its privileges, what it can do."""
