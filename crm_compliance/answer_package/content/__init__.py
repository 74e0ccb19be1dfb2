"""The content of an answer and its wording: one model for every file of the package."""
