"""What an answer says, and in which words: one model for every file of the package."""
