"""What is odd about a plan or its night, and so whether two people have to approve it."""
