"""How fast and how often the CRM may be queried."""
