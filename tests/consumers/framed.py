"""Reads a topic of canonical records in a schema registry's frame by the deserializer of Confluent's library.

usage: framed.py BROKERS PREFIX
"""

import sys

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from wireroom.v1.canonical_pb2 import CanonicalArticle, Change


def main(brokers: str, prefix: str) -> None:
    for name, message in [("canonical", CanonicalArticle), ("changes", Change)]:
        topic = f"{prefix}.{name}.v1"
        deserialize = ProtobufDeserializer(message, {"use.deprecated.format": False})
        context = SerializationContext(topic, MessageField.VALUE)
        read = [deserialize(value, context) for value in values(brokers, topic)]
        assert read and all(record.article_id and record.version for record in read), topic
        print(name, len(read))


def values(brokers: str, topic: str):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": f"{topic}-framed", "enable.partition.eof": True})
    there = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in there])
    ended = 0
    while ended < len(there):
        message = consumer.poll(10.0)
        assert message is not None, f"{topic} cannot be read"
        if message.error():
            ended += 1
        elif message.value() is not None:
            yield message.value()
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
