"""A text as a person reads it, and as it is compared: disguises, markup and spelling taken off."""
