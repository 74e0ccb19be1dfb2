"""What is kept beside the database: the register of erasures, the last data map, the lock of a run."""
