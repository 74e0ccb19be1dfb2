"""Who may do what: roles, privileges and their depth, secured columns, on whose behalf."""
