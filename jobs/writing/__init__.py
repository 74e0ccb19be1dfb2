"""What is written for a unit, and read back; `send.py` alone calls `Connector.change`."""
