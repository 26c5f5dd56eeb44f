import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/**
 * Gives and takes permissions, for tests: librdkafka's binding has no call for that. Usage: Acls BOOTSTRAP; then lines
 * {@code +|- USER RESOURCE PATTERN NAME OPERATION}, each answered with a line when the broker goes by it.
 */
public final class Acls {
  public static void main(String[] args) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ");
        var entry =
            new AccessControlEntry(
                "User:" + words[1], "*", AclOperation.fromString(words[5]), AclPermissionType.ALLOW);
        var pattern =
            new ResourcePattern(
                ResourceType.fromString(words[2]), words[4], PatternType.fromString(words[3]));
        AclBindingFilter filter = new AclBinding(pattern, entry).toFilter();
        boolean isGiven = words[0].equals("+");
        if (isGiven) {
          admin.createAcls(List.of(new AclBinding(pattern, entry))).all().get();
        } else {
          admin.deleteAcls(List.of(filter)).all().get();
        }
        while (admin.describeAcls(filter).values().get().isEmpty() == isGiven) {
          Thread.onSpinWait();
        }
        System.out.println("done");
      }
    }
  }
}
