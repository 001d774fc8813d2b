"""Real conversations sent again, request by request, through policies that edit them."""
