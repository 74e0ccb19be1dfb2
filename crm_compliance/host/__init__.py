"""What is asked of the machine: files that are there whole or not at all, logs, work beside other work,
whose packages these are."""
