"""What becomes of a unit, and when."""
