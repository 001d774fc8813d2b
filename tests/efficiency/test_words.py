import pytest

from token_tracking.efficiency.words import (
    agent_words,
    attachment_words,
    item_words,
    kind_words,
    label_words,
    project_words,
    tool_words,
)
from token_tracking.shares import ShareLabel


@pytest.mark.parametrize(
    ("label", "all_of_it", "one"),
    [
        (ShareLabel("tool", "Read", uri="/a.py"), "Read: /a.py", "Read: /a.py"),
        (ShareLabel("tool", "Bash"), "Bash", "Bash"),
        (ShareLabel("tool"), "Tool without a name", "Tool without a name"),
        (ShareLabel("tool", "Skill", uri="skill:deploy"), "Skill: deploy", "Skill: deploy"),
        (ShareLabel("tool", "Agent", uri="agent:Explore"), "Agent: Explore", "Agent: Explore"),
        (ShareLabel("tool", "list", "github"), "list (github)", "list (github)"),
        (ShareLabel("meta", uri="skill:a"), "Text of a skill: a", "Text of a skill: a"),
        (ShareLabel("meta"), "Added by the client", "Added by the client"),
        (ShareLabel("user"), "Your messages", "Your message"),
        (ShareLabel("answer", "opus"), "Answers of opus", "Answer of opus"),
        (ShareLabel("answer"), "Answers", "Answer"),
        (ShareLabel("attachment", "skill_listing"), "List of skills", "List of skills"),
        (ShareLabel("attachment", "file", uri="/b"), "File attached with @: /b",
         "File attached with @: /b"),
        (ShareLabel("tool", "Read", uri="/a.py", agent="Explore"), "Read: /a.py, in Explore",
         "Read: /a.py"),
        (ShareLabel("base", agent="Explore"),
         "Base of the prompt (system prompt, tools, memory), in Explore",
         "Base of the prompt of Explore"),
    ],
)  # fmt: skip
def test_what_stands_in_prompts_is_called_as_people_call_it(
    label: ShareLabel, all_of_it: str, one: str
) -> None:
    assert (label_words(label), item_words(label)) == (all_of_it, one)


def test_what_nothing_is_known_of_is_called_by_its_own_name() -> None:
    assert kind_words("new_kind") == "New kind"
    assert attachment_words("some-new_type") == "Some new type"
    assert attachment_words("_") == "Unnamed"
    assert tool_words(ShareLabel("attachment")) == "Attachments"
    assert agent_words("subagent") == "Subagents of unknown type"
    assert project_words(None) == "No project"
