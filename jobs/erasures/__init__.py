"""What was erased, in keyed references, and whether it is back."""
