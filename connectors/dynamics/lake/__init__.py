"""What a link has laid down of the CRM's tables in a lake, read for plans instead of the CRM."""
