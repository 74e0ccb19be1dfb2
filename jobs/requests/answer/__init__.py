"""The answer: its items, what people decide on them, and the two words that let it go."""
