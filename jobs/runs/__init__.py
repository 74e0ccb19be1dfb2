"""One plan carried out, whatever its kind."""
