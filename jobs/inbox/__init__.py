"""What waits for a person, for the front page and for whoever is told of it."""
