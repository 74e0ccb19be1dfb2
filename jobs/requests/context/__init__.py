"""What an answer says beside the data: purposes, grounds, terms, recipients, other requests."""
