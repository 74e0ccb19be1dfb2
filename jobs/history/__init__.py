"""What was done, as people look it up: runs in a list, one run, a period."""
