"""Who may be told what, and by when."""
