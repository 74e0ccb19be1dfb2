"""What was read of tables, kept until the next time, and what has changed since."""
