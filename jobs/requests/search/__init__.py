"""Who the person is, what there is about them, and which of it an answer is about."""
