"""Who else occurs in what was found, and how the texts are disclosed without them."""
