"""The steps from one shape of the database to the next, of which a released one is never edited."""
