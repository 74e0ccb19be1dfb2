"""What the organisation does by itself as its clock advances."""
