"""Tables, columns, choices and relationships of one organisation, and the values that a column takes."""
