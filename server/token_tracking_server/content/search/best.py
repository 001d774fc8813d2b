"""The section of a document that answers a question best."""

from bisect import bisect
from itertools import accumulate
from typing import Final

from token_tracking_server.content.search.question import Question
from token_tracking_server.content.search.ranking import Candidate
from token_tracking_server.content.search.record import FIRST_SECTION_LINE

_HEADING: Final = 3.0
_TRAIL: Final = 1.0
_SATURATION: Final = 3.0
_USUAL_LENGTH: Final = 400  # characters of stems
_LENGTH_COUNTS: Final = 0.6


def best_section(candidate: Candidate, question: Question) -> int:
    """The index of the section that has most of the question; the first of equals."""
    lines = candidate.text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    sections = lines[FIRST_SECTION_LINE:]
    levels = [int(heading[0]) for heading in sections[::2]]
    norms = [
        1 - _LENGTH_COUNTS + _LENGTH_COUNTS * len(body) / _USUAL_LENGTH for body in sections[1::2]
    ]
    said = [0.0] * len(levels)
    for term, places in zip(question.terms, candidate.places, strict=True):
        points: dict[int, float] = {}
        for place in places:
            line = bisect(starts, place) - 1 - FIRST_SECTION_LINE
            if line < 0:
                continue
            section, is_body = divmod(line, 2)
            if is_body:
                points[section] = points.get(section, 0.0) + 1 / norms[section]
            else:
                points[section] = points.get(section, 0.0) + _HEADING
                for below in _below(section, levels):
                    points[below] = points.get(below, 0.0) + _TRAIL
        for section, each in points.items():
            said[section] += term.idf * each / (_SATURATION + each)
    return max(range(len(said)), key=lambda section: (said[section], -section))


def _below(section: int, levels: list[int]) -> range:
    """The sections under the heading of one."""
    end = section + 1
    while end < len(levels) and levels[end] > levels[section]:
        end += 1
    return range(section + 1, end if levels[section] else section + 1)
