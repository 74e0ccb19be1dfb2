"""The commands about one subject request, from its receipt to the answer."""
