"""Speed and size, measured in one run against the field's favourite. No part of the wheel."""
