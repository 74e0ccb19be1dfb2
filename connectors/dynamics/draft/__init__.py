"""A mapping to begin with, derived from what a CRM says of its own tables; whatever is open is left to a
person."""
