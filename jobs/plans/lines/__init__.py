"""Lines of a stored plan in columns: filtered, sorted, counted and compared.

They are made of the stored pages; a run reads the pages themselves."""
