"""People are told of what waits for them: which event, to whom, by which channel, and once."""
