"""The work: plans, runs, apply, verify, ledger, and the ports through which a job reaches the outside
world."""
