"""The Apollo.io connector, a durable workflow host for it, and a local sandbox."""

__version__ = "0.1.0"
