"""What an installation is told: its settings, the hours of its jobs, the organisation for which it speaks."""
