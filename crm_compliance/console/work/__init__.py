"""What takes longer than somebody waits for a page: it goes on, and pages tell how far it is."""
