"""Who a person is, in which roles, and who is signed in."""
