"""The content of file and image columns, in one piece and in blocks."""
