"""English words that say nothing of what a text is about."""

from typing import Final

_WORDS: Final = """
a about above after again all also am an and any are as at be because been before being both but by
can could did do does doing down during each few for from further had has have having he her here
hers him his how i if in into is it its just me more most my no nor not now of off on once only or
other our out over own same she should so some such than that the their them then there these they
this those through to too under until up use using very was we were what when where which while who
whom why will with would you your
"""

STOP_WORDS: Final = frozenset(_WORDS.split())
