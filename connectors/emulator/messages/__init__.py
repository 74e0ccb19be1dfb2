"""Functions and actions: what the Web API offers besides reading and writing rows."""
