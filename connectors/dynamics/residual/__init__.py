"""What outlives a row in the CRM: found, purged, and looked for again."""
