"""What may be disclosed to whom, and by when."""
