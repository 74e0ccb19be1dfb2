"""One subject request, from the search to the answer."""
