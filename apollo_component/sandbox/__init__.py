"""A local stand-in for Apollo.io: its REST API, its OAuth server and a world of made-up people."""
