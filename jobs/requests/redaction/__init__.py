"""Who else occurs in what was found, and how the texts are told without them."""
