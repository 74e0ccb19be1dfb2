"""The mapping as a file that people write: is it right, what does it make of a row, how does one begin."""
