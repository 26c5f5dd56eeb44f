"""Follows wireroom's canonical records, in either encoding, and prints a line of JSON for each that changes.

usage: canonical.py BROKERS [--prefix wireroom] [--group NAME] [--to-end]

Records come at least once: after a crash those since the last commit come again, with the versions that they had.
Whoever keeps them by article id, and takes no version older than the one it has, has each once.
"""

import argparse
import json

from confluent_kafka import Consumer, KafkaError, KafkaException
from wireroom.v1.canonical_pb2 import CanonicalArticle


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("brokers")
    arguments.add_argument("--prefix", default="wireroom")
    arguments.add_argument("--group", default="canonical-example")
    arguments.add_argument("--to-end", action="store_true", help="end where the topic ends now")
    options = arguments.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": options.brokers,
            "group.id": options.group,
            # Nothing of a step that was given up is seen.
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            # Only what was dealt with is committed.
            "enable.auto.commit": False,
            "enable.partition.eof": options.to_end,
            # A record has up to 10 MiB.
            "fetch.message.max.bytes": 12 * 1024 * 1024,
        }
    )
    partitions: set[int] = set()
    consumer.subscribe(
        [f"{options.prefix}.canonical.v1"],
        on_assign=lambda _, given: partitions.update(one.partition for one in given),
        on_revoke=lambda _, taken: partitions.difference_update(one.partition for one in taken),
    )
    try:
        follow(consumer, partitions)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


def follow(consumer: Consumer, partitions: set[int]) -> None:
    ended: set[int] = set()
    while not ended or ended < partitions:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            ended.add(message.partition())
            continue
        take(message.key().decode(), article(message))
        consumer.commit(message, asynchronous=True)


def article(message) -> dict | None:
    """What the record says; nothing where it is a tombstone."""
    if message.value() is None:
        return None
    is_json = dict(message.headers())["content-type"] == b"application/json"
    value = unframed(message.value(), is_json)
    if is_json:
        return json.loads(value)
    read = CanonicalArticle.FromString(value)
    return {field.name: getattr(read, field.name) for field in read.DESCRIPTOR.fields}


def unframed(value: bytes, is_json: bool) -> bytes:
    """Without the frame that a schema registry's records have: a zero, four bytes of id, for Protobuf a zero again."""
    if not value.startswith(b"\0"):
        return value
    return value[5:] if is_json else value[6:]


def take(article_id: str, article: dict | None) -> None:
    """Here belongs what you do with it."""
    if article is None:
        print(json.dumps({"article_id": article_id, "tombstone": True}), flush=True)
    else:
        shown = {name: article[name] for name in ("version", "status", "headline", "url")}
        print(json.dumps({"article_id": article_id, **shown}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
