"""The retention schedule as a file: its form, its checks, its versions."""
