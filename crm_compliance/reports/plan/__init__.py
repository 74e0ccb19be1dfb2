"""A stored plan as a person reads it: in a terminal, as a page, as a spreadsheet, as lines."""
