"""What is said in the name of the organisation: the file, its form and its checks."""
