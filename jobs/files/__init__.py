"""Reading files that other people made: the one border between the product and what parses them."""
