"""What every page stands in: its address, the visit of a person, what it works with, how it is refused."""
