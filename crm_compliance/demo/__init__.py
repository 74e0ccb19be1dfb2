"""A demonstration on the emulator: a whole run, and the request of somebody who is in it."""
