"""Diagnostics: what is wrong with a host, found without opening it, and a bundle to attach to a report."""
