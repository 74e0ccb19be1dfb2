"""The service that runs by itself: its hours, its rounds, its health."""
