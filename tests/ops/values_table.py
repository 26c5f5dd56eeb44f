"""The table of values in the chart's README, made of the comments in its values.yaml.

usage: values_table.py    writes it into helm/wireroom/README.md
"""

from helm import CHART
from matrix import ROLES

BEGIN, END = "<!-- values: made by tests/ops/values_table.py -->", "<!-- end of values -->"


def rows(text: str):
    """Yields (path, default, comment) for each key; the default of a key with further ones in it is empty. A role's key
    without a comment has that of the role above."""
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    of_roles: dict[str, str] = {}
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment.append(bare[1:].strip())
            continue
        key, colon, default = bare.partition(":")
        if colon and not bare.startswith("-"):
            indent = len(line) - len(line.lstrip())
            path = [(depth, name) for depth, name in path if depth < indent] + [(indent, key)]
            said = " ".join(comment)
            full = ".".join(name for _, name in path)
            top, _, rest = full.partition(".")
            if top in ROLES and rest:
                said = of_roles[rest] = said or of_roles.get(rest, "")
            if default or said:
                yield full, default.strip(), said
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
