"""Tables read to their end, as records."""
