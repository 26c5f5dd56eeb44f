package example;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import wireroom.v1.Canonical.CanonicalArticle;

/**
 * Follows wireroom's canonical records (Protobuf) and prints a line for each: article id, version and headline, by tabs;
 * of a tombstone the id alone.
 *
 * <p>Usage: {@code Canonical BROKERS PREFIX GROUP [--to-end]}. Records come at least once: whoever keeps them by article id,
 * and takes no version older than the one it has, has each once.
 */
public final class Canonical {
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private Canonical() {}

  public static void main(String[] args) throws Exception {
    boolean toEnd = args.length > 3 && args[3].equals("--to-end");
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers", args[0],
            "group.id", args[2],
            // Nothing of a step that was given up is seen.
            "isolation.level", "read_committed",
            "auto.offset.reset", "earliest",
            // Only what was dealt with is committed.
            "enable.auto.commit", false,
            "key.deserializer", StringDeserializer.class,
            "value.deserializer", ByteArrayDeserializer.class);
    try (var consumer = new KafkaConsumer<String, byte[]>(settings)) {
      consumer.subscribe(List.of(args[1] + ".canonical.v1"));
      while (!toEnd || !isAtEnd(consumer)) {
        for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          take(record.key(), record.value());
        }
        consumer.commitSync();
      }
    }
  }

  /** Here belongs what you do with it. */
  private static void take(String articleId, byte[] value) throws Exception {
    if (value == null) {
      OUT.println(articleId);
      return;
    }
    // In the frame of a schema registry: a zero, four bytes of id, and a zero again.
    int start = value.length > 0 && value[0] == 0 ? 6 : 0;
    CanonicalArticle article =
        CanonicalArticle.parseFrom(ByteBuffer.wrap(value, start, value.length - start));
    OUT.println(articleId + "\t" + article.getVersion() + "\t" + article.getHeadline());
  }

  private static boolean isAtEnd(KafkaConsumer<String, byte[]> consumer) {
    var held = consumer.assignment();
    return !held.isEmpty()
        && consumer.endOffsets(held).entrySet().stream()
            .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
  }
}
