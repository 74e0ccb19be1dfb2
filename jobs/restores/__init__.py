"""What is made good after a backup of the CRM or of the store was restored."""
