"""The data map: which tables the CRM leads to from a unit or a person, and what becomes of each."""
