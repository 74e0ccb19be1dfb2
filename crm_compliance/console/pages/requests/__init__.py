"""The pages of subject requests: the register, and one request from its receipt to its closing."""
