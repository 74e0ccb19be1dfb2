"""The steps from one shape of the database to the next. A step that has been released is never edited."""
