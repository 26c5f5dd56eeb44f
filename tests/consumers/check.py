"""Holds the topics of a run, and every record in them, against proto/asyncapi.yaml.

usage: check.py BROKERS PREFIX
"""

import json
import sys
from collections import Counter
from pathlib import Path

import yaml
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource
from google.protobuf.unknown_fields import UnknownFieldSet
from jsonschema import Draft202012Validator
from wireroom.v1 import article_pb2, canonical_pb2, page_pb2, request_pb2

PROTO = Path(__file__).parents[2] / "proto"
MESSAGES = {
    "Request": request_pb2.Request,
    "Page": page_pb2.Page,
    "Article": article_pb2.Article,
    "Prepared": article_pb2.Prepared,
    "CanonicalArticle": canonical_pb2.CanonicalArticle,
    "Change": canonical_pb2.Change,
}
document = yaml.safe_load((PROTO / "asyncapi.yaml").read_text())


def main(brokers: str, prefix: str) -> None:
    channels = {name: channel["address"].format(prefix=prefix) for name, channel in document["channels"].items()}
    topics(brokers, prefix, channels)
    found = Counter()
    for name, topic in channels.items():
        for record in records(brokers, topic):
            try:
                found[name, check(record, document["channels"][name])] += 1
            except Exception as fault:
                raise SystemExit(f"{topic}/{record.partition()}/{record.offset()}: {fault}") from fault
    for (name, message), count in found.items():
        print(name, message, count)


def topics(brokers: str, prefix: str, channels: dict[str, str]) -> None:
    """Those there are, with their partitions and policies."""
    admin = AdminClient({"bootstrap.servers": brokers})
    there = {name: topic for name, topic in admin.list_topics().topics.items() if name.startswith(f"{prefix}.")}
    assert there.keys() == set(channels.values()), f"topics: {sorted(there)}"
    resources = {ConfigResource(ConfigResource.Type.TOPIC, topic): name for name, topic in channels.items()}
    for resource, described in admin.describe_configs(list(resources)).items():
        config = {name: entry.value for name, entry in described.result().items()}
        told = document["channels"][resources[resource]]["bindings"]["kafka"]
        assert len(there[resource.name].partitions) == told["partitions"], resource.name
        for name, value in told["topicConfiguration"].items():
            value = ",".join(value) if isinstance(value, list) else str(value)
            assert config[name] == value, f"{resource.name}: {name} is {config[name]}, not {value}"


def records(brokers: str, topic: str):
    """Every committed record there is now."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "check", "isolation.level": "read_committed", "enable.partition.eof": True})
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    ended = 0
    while ended < len(partitions):
        record = consumer.poll(30)
        assert record is not None, f"{topic} cannot be read to its end"
        if record.error():
            ended += 1
        else:
            yield record
    consumer.close()


def check(record, channel: dict) -> str:
    """The name of the message that the record is."""
    headers = {name: value.decode() for name, value in record.headers() or []}
    [name] = [name for name in channel["messages"] if is_of(name, record, headers)]
    told = document["components"]["messages"][name]
    if "headers" in told:
        validate(told["headers"], headers)
    if name in ("DeadLetter", "StateRow"):
        return name
    key, kind = record.key(), told["name"].removeprefix("wireroom.v1.")
    if told.get("contentType") == "application/json":
        read = json.loads(record.value())
        schema = json.loads((PROTO / told["payload"]["schema"]["$ref"]).read_text())
        validate(schema, read)
        assert read.keys() == schema["properties"].keys(), "fields that the schema does not know"
        assert key.decode() == read["article_id"]
    elif record.value() is not None:
        read = MESSAGES[kind].FromString(record.value())
        assert not len(UnknownFieldSet(read)), "fields that the messages do not know"
        match kind:
            case "Page":
                assert len(key) == 16
            case "Request":
                assert key.decode() in (read.url or read.request_id)
            case "Prepared":
                assert key.decode() == (read.article.article_id or read.article.publisher.domain)
            case _:
                assert key.decode() == read.article_id
        if kind in ("CanonicalArticle", "Change"):
            assert headers["ce_id"] == f"{read.article_id}/{read.version}"
    return name


def is_of(name: str, record, headers: dict[str, str]) -> bool:
    if name in ("DeadLetter", "StateRow"):
        return True
    if name.endswith("Tombstone") or record.value() is None:
        return name.endswith("Tombstone") and record.value() is None
    return name.endswith("Json") == (headers["content-type"] == "application/json")


def validate(schema: dict, value) -> None:
    schema = {**schema, "components": document["components"]}
    faults = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(value)
    if found := [f"{fault.json_path}: {fault.message[:200]}" for fault in faults]:
        raise ValueError(found)


if __name__ == "__main__":
    main(*sys.argv[1:])
