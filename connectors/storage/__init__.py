"""Storage outside the CRM for the content of recordings."""
