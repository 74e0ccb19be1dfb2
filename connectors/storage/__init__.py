"""Storage outside the CRM: the content of recordings, and documents in SharePoint."""
