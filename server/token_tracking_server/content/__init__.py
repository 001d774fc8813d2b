"""Just-in-time content: a library of Markdown and Agent Skills, searched and loaded in parts."""
