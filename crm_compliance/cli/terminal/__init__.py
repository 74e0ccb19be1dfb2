"""What every command needs of a terminal: its arguments in our types, its answer, tables, report files."""
