"""What a client sees is the same whichever way its requests go."""
