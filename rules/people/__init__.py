"""What a person is known by, and who may be who."""
