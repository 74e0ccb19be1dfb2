"""What the console keeps between two pages: who is signed in, and what was begun."""
