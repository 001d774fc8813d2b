"""Agent Skills over MCP: the extension `io.modelcontextprotocol/skills` (SEP-2640).

It follows the stable text of the extension, https://github.com/modelcontextprotocol/ext-skills,
specification/stable/skills.mdx as of September 2026 (commit 0682b7b), against base protocol
2026-07-28. That text is newer than the SEP's drafts: each entry has `resources`, each file there a
`size`, skills nest, and there is no `skill://index.json`. The format of a skill is that of
https://agentskills.io/specification.
"""
