"""What is around the content of every page: the menu, notes on what was done, static files."""
