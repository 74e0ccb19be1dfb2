"""What a row leaves behind: its history, its copy in the bin or in long-term retention, its tombstone."""
