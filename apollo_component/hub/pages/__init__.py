"""The Hub's pages: each module offers its `PLACES`."""
