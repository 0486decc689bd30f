"""The Host API: what the Hub's pages do, as JSON for other programs. Each endpoint is declared once; its route, the
checks of what is sent and the OpenAPI document are made from that declaration."""
