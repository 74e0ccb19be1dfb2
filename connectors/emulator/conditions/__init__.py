"""Under which conditions the organisation answers: its clock, its limits, its switches, its counts."""
