"""What each method does at each kind of address."""
