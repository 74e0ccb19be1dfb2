"""One plan of any kind, carried out."""
