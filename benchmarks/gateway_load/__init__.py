"""Load on gateways: a provider that answers at once, a client that asks, and who stands between."""
