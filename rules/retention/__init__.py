"""The schedule ready to be asked, what becomes of contacts, and the guards on how much may go."""
