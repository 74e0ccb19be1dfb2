"""Tables read to their end, as records or as columns."""
