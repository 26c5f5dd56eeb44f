"""The table of values in the chart's README, made of the comments in its values.yaml.

usage: values_table.py    writes it into helm/wireroom/README.md
"""

from pathlib import Path

CHART = Path(__file__).parents[2] / "helm" / "wireroom"
BEGIN, END = "<!-- values: made by tests/ops/values_table.py -->", "<!-- end of values -->"


def rows(text: str):
    """Yields (path, default, comment) for each key; the default of a key with further ones in it is empty."""
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment.append(bare[1:].strip())
            continue
        key, colon, default = bare.partition(":")
        if colon and not bare.startswith("-"):
            indent = len(line) - len(line.lstrip())
            path = [(depth, name) for depth, name in path if depth < indent] + [(indent, key)]
            if default or comment:
                yield ".".join(name for _, name in path), default.strip(), " ".join(comment)
        comment = []


def table() -> str:
    lines = ["| Value | Default | |", "|---|---|---|"]
    for path, default, comment in rows((CHART / "values.yaml").read_text()):
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{path}` | {shown} | {comment} |")
    return "\n".join(lines)


def readme() -> str:
    """The README as it should be."""
    before, _, rest = (CHART / "README.md").read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    (CHART / "README.md").write_text(readme())
