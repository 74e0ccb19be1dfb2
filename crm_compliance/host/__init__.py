"""What is asked of the machine: files that are there whole or not at all, logs, whose packages these are."""
