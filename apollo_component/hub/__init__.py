"""The Hub: pages and a JSON API over a host. Knows no connector; what differs between them is in their manifests."""
