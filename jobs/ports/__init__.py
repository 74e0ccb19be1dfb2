"""What a job asks of the desk above it."""
