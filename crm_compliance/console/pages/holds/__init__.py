"""What keeps data whatever the schedule says: the holds in a list, one hold, placed and released."""
