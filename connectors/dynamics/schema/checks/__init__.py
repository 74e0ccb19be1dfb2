"""The mapping held against this CRM: what does not fit, and what it leaves out."""
