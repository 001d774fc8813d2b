"""The gateway: stands between clients and providers, passes on byte for byte, and records."""
