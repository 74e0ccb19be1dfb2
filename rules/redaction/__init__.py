"""What of other people is not shown, and what stands in its place."""
