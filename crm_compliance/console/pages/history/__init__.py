"""What was done: the runs, one run, that the record of it is whole, and what an auditor asks."""
