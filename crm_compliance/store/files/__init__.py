"""What is kept beside the database: the register of erasures, the last data map."""
