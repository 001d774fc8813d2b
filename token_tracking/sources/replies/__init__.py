"""What the responses of providers' APIs say of usage: bytes in, `Reply` out."""
