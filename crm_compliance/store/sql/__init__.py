"""What every table stands on: the database, the tables' columns, documents and seals in a row."""
