"""Storage outside the CRM in which the content of recordings lies."""
