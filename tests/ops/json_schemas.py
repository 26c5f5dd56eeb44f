"""JSON Schemas of what consumers read, made from the messages of proto/: `tests/ops/json_schemas.py` writes them."""

import json

from helm import ROOT
from node import buf

# Messages that have a schema of their own, and their files.
SCHEMAS = {"CanonicalArticle": "canonical", "Change": "change"}
CHANGES = ["created", "corrected", "takeover", "reprocessed", "withdrawn"]
RECORDS = ["original", "extension", "derived"]
# What the comments in proto/ say of values, as a schema.
NARROWER = {
    "CanonicalArticle.article_id": {"pattern": "^[0-9a-f]{32}$"},
    "CanonicalArticle.version": {"minimum": 1},
    "CanonicalArticle.change": {"enum": CHANGES},
    "CanonicalArticle.status": {"enum": ["usable", "withdrawn"]},
    "CanonicalArticle.published_precision": {"enum": ["", "instant", "local", "day"]},
    "CanonicalArticle.seen_at": {"format": "date-time"},
    "CanonicalArticle.processed_at": {"format": "date-time"},
    "CanonicalArticle.language_confidence": {"minimum": 0, "maximum": 1},
    "CanonicalArticle.relation": {"enum": RECORDS},
    "Related.relation": {"enum": RECORDS},
    "Occurrence.relation": {"enum": ["copy", "excerpt"]},
    "Occurrence.seen_at": {"format": "date-time"},
    "Withdrawal.cause": {"enum": ["missing", "gone", "withheld", "notice", "ordered", "takedown", "lifted"]},
    "Change.article_id": {"pattern": "^[0-9a-f]{32}$"},
    "Change.version": {"minimum": 1},
    "Change.change": {"enum": [*CHANGES, "superseded", "buried"]},
    "Change.processed_at": {"format": "date-time"},
}
TYPES = {
    "STRING": {"type": "string"},
    "BOOL": {"type": "boolean"},
    "DOUBLE": {"type": "number"},
    "UINT32": {"type": "integer", "minimum": 0},
    "UINT64": {"type": "integer", "minimum": 0},
    "INT64": {"type": "integer"},
}


def schemas() -> dict[str, str]:
    """The texts of the schemas, by their paths in the repository."""
    messages, comments = described()
    return {f"proto/{file}.schema.json": schema(name, messages, comments) for name, file in SCHEMAS.items()}


def schema(name: str, messages: dict, comments: dict) -> str:
    defined: dict[str, dict] = {}

    def of_message(name: str) -> dict:
        fields = {field["name"]: of_field(name, field) for field in messages[name].get("field", [])}
        described = {"description": comments[name]} if name in comments else {}
        # All fields are there, those that say nothing as "", 0, [] or null; later ones may come.
        return {**described, "type": "object", "required": list(fields), "properties": fields}

    def of_field(message: str, field: dict) -> dict:
        path = f"{message}.{field['name']}"
        described = {"description": comments[path]} if path in comments else {}
        return {**described, **of_value(message, field), **NARROWER.get(path, {})}

    def of_value(message: str, field: dict) -> dict:
        is_list = field["label"] == "LABEL_REPEATED"
        if field["type"] != "TYPE_MESSAGE":
            one = TYPES[field["type"].removeprefix("TYPE_")]
            return {"type": "array", "items": one} if is_list else one
        other = field["typeName"].rsplit(".", 1)[1]
        for entry in messages[message].get("nestedType", []):
            if entry["name"] == other and entry.get("options", {}).get("mapEntry"):
                return {"type": "object", "additionalProperties": of_value(message, entry["field"][1])}
        if other not in defined:
            defined[other] = {}
            defined[other] = of_message(other)
        one = {"$ref": f"#/$defs/{other}"}
        return {"type": "array", "items": one} if is_list else {"anyOf": [one, {"type": "null"}]}

    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name}
    return json.dumps({**head, **of_message(name), "$defs": defined}, indent=2) + "\n"


def described() -> tuple[dict[str, dict], dict[str, str]]:
    """The messages by their names, and what is said of them and of their fields."""
    ran = buf("build", "proto", "--output", "-#format=json")
    assert ran.returncode == 0, ran.stderr
    messages, comments = {}, {}
    for file in json.loads(ran.stdout)["file"]:
        of_file = file["messageType"]
        messages |= {message["name"]: message for message in of_file}
        for location in file["sourceCodeInfo"]["location"]:
            said = " ".join(location.get("leadingComments", "").split())
            match location.get("path", []):
                case [4, message] if said:
                    comments[of_file[message]["name"]] = said
                case [4, message, 2, field] if said:
                    comments[f"{of_file[message]['name']}.{of_file[message]['field'][field]['name']}"] = said
    return messages, comments


if __name__ == "__main__":
    for path, text in schemas().items():
        (ROOT / path).write_text(text)
