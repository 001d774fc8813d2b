"""The window manager in the gateway: for requests that opt in, and for sessions it keeps."""
