"""What the API offers: each module has its `ENDPOINTS`."""
