"""One plan of any kind, carried out, and read back as a whole."""
