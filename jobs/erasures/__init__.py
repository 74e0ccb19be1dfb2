"""What was erased, in keyed references."""
