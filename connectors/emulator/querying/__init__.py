"""Reading rows: the query options of the Web API and what each means to SQLite."""
