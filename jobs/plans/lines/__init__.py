"""Lines of a stored plan in columns, made of its pages: filtered, sorted, counted and compared."""
