"""The topics as a contract: proto/ and its AsyncAPI document."""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from helm import ROOT, render
from json_schemas import schemas
from node import asyncapi_faults, buf

DOCUMENT = ROOT / "proto" / "asyncapi.yaml"


@pytest.fixture(scope="module")
def asyncapi():
    return yaml.safe_load(DOCUMENT.read_text())


def test_the_messages_are_as_buf_wants_them():
    assert buf("lint", "proto").stdout == ""


def test_no_message_breaks_its_readers():
    base = what_readers_have()
    if not base:
        pytest.skip("there is no git history to compare with")
    repository = git("rev-parse", "--path-format=absolute", "--git-common-dir")
    ran = buf("breaking", "proto", "--against", f"{repository}#ref={base},subdir=proto")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def what_readers_have(repository=ROOT):
    """The commit at which a branch left main; on main itself the one before the messages last changed."""
    head = git("rev-parse", "HEAD", repository=repository)
    for main in ("origin/main", "main"):
        if (left := git("merge-base", "HEAD", main, repository=repository)) not in ("", head):
            return left
    changed = git("rev-list", "--max-count=1", "HEAD", "--", "proto", repository=repository)
    return git("rev-parse", "--verify", f"{changed}^", repository=repository)


def git(*arguments, repository=ROOT):
    """What git says; nothing where it cannot."""
    # A hook of git names the repository that it runs in.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ran = subprocess.run(["git", *arguments], cwd=repository, env=env, capture_output=True, text=True)
    return ran.stdout.strip() if ran.returncode == 0 else ""


def test_messages_are_compared_with_what_readers_have(tmp_path):
    ours, clone = tmp_path / "ours", tmp_path / "clone"
    git("init", "--initial-branch=main", ours)

    def commit(repository, path):
        (repository / path).parent.mkdir(exist_ok=True)
        with (repository / path).open("a") as file:
            file.write("more\n")
        git("add", ".", repository=repository)
        settings = "user.name=test", "user.email=test@example.org", "commit.gpgsign=false", f"core.hooksPath={os.devnull}"
        git(*(word for setting in settings for word in ("-c", setting)), "commit", "--message", path, repository=repository)
        return git("rev-parse", "HEAD", repository=repository)

    commit(ours, "proto/canonical.proto")
    before = commit(ours, "README.md")
    commit(ours, "proto/canonical.proto")
    main = commit(ours, "README.md")
    assert what_readers_have(ours) == before
    git("clone", ours, clone)
    assert what_readers_have(clone) == before
    commit(clone, "proto/canonical.proto")
    commit(clone, "README.md")
    assert what_readers_have(clone) == main
    git("switch", "--create", "branch", repository=ours)
    commit(ours, "proto/canonical.proto")
    assert what_readers_have(ours) == main


def test_what_breaks_readers_is_found(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, field in ((old, "string headline = 1;"), (new, "bytes headline = 1;")):
        (folder / "wireroom/v1").mkdir(parents=True)
        (folder / "buf.yaml").write_text((ROOT / "proto" / "buf.yaml").read_text())
        for name in ("article", "state"):
            text = f'syntax = "proto3";\npackage wireroom.v1;\nmessage {name.title()} {{ {field} }}\n'
            (folder / "wireroom/v1" / f"{name}.proto").write_text(text)
    ran = buf("breaking", str(new), "--against", str(old))
    assert "article.proto" in ran.stdout and "headline" in ran.stdout
    assert "state.proto" not in ran.stdout, "what the stages keep is nobody's contract"


@pytest.mark.parametrize("path", ["proto/canonical.schema.json", "proto/change.schema.json"])
def test_json_schemas_are_of_the_messages(path):
    assert (ROOT / path).read_text() == schemas()[path], "run tests/ops/json_schemas.py"


def test_the_document_is_asyncapi():
    assert asyncapi_faults(DOCUMENT) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("address: '{prefix}.pages.v1'", "adress: '{prefix}.pages.v1'"),
        ("$ref: canonical.schema.json", "$ref: nowhere.schema.json"),
        ("$ref: '#/components/messages/Page'", "$ref: '#/components/messages/Pages'"),
    ],
)
def test_what_is_no_asyncapi_is_found(right, wrong, tmp_path):
    shutil.copytree(DOCUMENT.parent, tmp_path, dirs_exist_ok=True)
    document = tmp_path / DOCUMENT.name
    text = document.read_text()
    assert right in text
    document.write_text(text.replace(right, wrong))
    assert asyncapi_faults(document)


def test_what_the_document_imports_is_there(asyncapi):
    of_protobuf = [m for m in asyncapi["components"]["messages"].values() if "protobuf" in m["payload"].get("schemaFormat", "")]
    assert of_protobuf
    for message in of_protobuf:
        [path] = re.findall('import public "(.*)";', message["payload"]["schema"])
        package, _, name = message["name"].rpartition(".")
        text = (DOCUMENT.parent / path).read_text()
        assert f"package {package};" in text and f"message {name} {{" in text, message["name"]


def test_every_part_of_the_document_is_referred_to(asyncapi):
    def references(node):
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
            yield from references(child)

    parts = {f"#/components/{kind}/{name}" for kind, all in asyncapi["components"].items() for name in all}
    assert parts <= set(references(asyncapi))


def test_topics_are_as_they_are_made(asyncapi):
    values = {"topics": {"mode": "strimzi", "strimzi": {"cluster": "press"}}}
    made = {
        o["spec"]["topicName"]: (o["spec"]["partitions"], {name: str(value) for name, value in o["spec"]["config"].items()})
        for o in render(values)
        if o["kind"] == "KafkaTopic"
    }
    told = {}
    for channel in asyncapi["channels"].values():
        kafka = channel["bindings"]["kafka"]
        config = {**kafka["topicConfiguration"], "cleanup.policy": ",".join(kafka["topicConfiguration"]["cleanup.policy"])}
        told[channel["address"].format(prefix="wireroom")] = (kafka["partitions"], {name: str(value) for name, value in config.items()})
    assert told == made
