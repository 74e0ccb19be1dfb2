"""Views of a stored plan or run for people (a DPO, a CRM administrator, an auditor), without personal data
(ACC-04)."""
