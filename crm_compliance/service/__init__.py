"""The service that runs by itself: its scheduler, one job, its health."""
