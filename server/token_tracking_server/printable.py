"""Text of others, without what a terminal or a page obeys."""

UNKNOWN_CHARACTER = "\ufffd"


def printable(text: str, instead: str = UNKNOWN_CHARACTER) -> str:
    """A text with `instead` for each character that shows nothing: controls, line ends, those that
    turn the direction of writing around, and those of no width."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else instead for each in text)
