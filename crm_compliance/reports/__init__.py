"""Views of a stored plan or run for people: a DPO, a CRM administrator, an auditor. No personal data in any
of them (ACC-04)."""
