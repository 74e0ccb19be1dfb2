"""The organisation on a port: HTTP, certificates, the control interface, what is emulated."""
