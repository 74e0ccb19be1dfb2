"""The answer: its items, what people decide on them, and the two approvals that release it."""
