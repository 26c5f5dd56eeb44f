"""The chart, as Helm renders it."""

import json
import re
import shlex
import shutil
import subprocess

import pytest
import yaml
from helm import CHART, ROOT, HelmError, environment, lint, one, pods, render, texts
from matrix import MATRIX, ROLES, SASL
from schemas import VERSIONS, faults, unrestricted
from values_table import readme, rows

CASES = pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX)
ACLS = (ROOT / "deploy" / "acls.md").read_text()
STATEFUL = {"press-wireroom-fetcher", "press-wireroom-cluster"}


@CASES
@pytest.mark.parametrize("version", VERSIONS)
def test_api_servers_take_it(values, version):
    assert lint(values, version) == []
    assert faults(render(values, version), version) == []


@CASES
def test_names_are_given_once(values):
    names = [(o["kind"], o["metadata"]["name"]) for o in render(values)]
    assert len(names) == len(set(names))


@CASES
def test_pods_are_restricted(values):
    for name, pod in pods(render(values)).items():
        assert unrestricted(pod) == [], name
        [container] = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        assert pod["automountServiceAccountToken"] is False, name
        assert container["resources"]["limits"]["memory"], name


@CASES
def test_mounts_have_volumes(values):
    objects = render(values)
    claimed = {o["metadata"]["name"]: o["spec"].get("volumeClaimTemplates", []) for o in objects if o.get("spec")}
    for name, pod in pods(objects).items():
        mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"] or []}
        volumes = [volume["name"] for volume in pod["volumes"] or []] + [c["metadata"]["name"] for c in claimed[name]]
        assert mounted == set(volumes) and len(volumes) == len(mounted), name


@CASES
def test_the_grace_period_is_longer_than_stopping(values):
    for name, pod in pods(render(values)).items():
        if name.endswith("-topics"):
            continue
        pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        drain = int(environment(pod)["WIREROOM__SERVICE__DRAIN_DEADLINE"].removesuffix("s"))
        assert pod["terminationGracePeriodSeconds"] > pause + drain, name


def test_no_pause_before_the_end_where_kubernetes_has_none():
    assert all("lifecycle" not in pod["containers"][0] for pod in pods(render({}, "1.29")).values())


@CASES
def test_wireroom_takes_the_configuration(values, wireroom, tmp_path):
    objects = render(values)
    files = {name: text for o in objects if o["kind"] == "ConfigMap" for name, text in o.get("data", {}).items()}
    (tmp_path / "sources.toml").write_text(files.get("sources.toml", '[[outlet]]\nid = "a"\nfeeds = ["https://a.example/f"]\n'))
    for name, pod in pods(objects).items():
        settings = environment(pod)
        if "WIREROOM_CONFIG" in settings:
            config = files["wireroom.toml"].replace("/etc/wireroom/sources/", f"{tmp_path}/")
            (tmp_path / "wireroom.toml").write_text(config)
            settings["WIREROOM_CONFIG"] = str(tmp_path / "wireroom.toml")
        # What comes from Secrets, in the forms that it must have.
        settings |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "c"}
        settings |= {"WIREROOM__FETCHER__WEBSUB_KEY": "sixteen characters"}
        ran = subprocess.run([wireroom, "check-config"], env=settings, cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, (name, ran.stderr)
        [container] = pod["containers"]
        ran = subprocess.run([wireroom, *container["args"], "--help"], capture_output=True, text=True)
        assert ran.returncode == 0, (name, ran.stderr)


@CASES
def test_notes_tell_what_can_be_done(values, wireroom):
    notes, objects = texts(values)["wireroom/templates/NOTES.txt"], render(values)
    commands = [shlex.split(line) for line in notes.splitlines() if line.startswith("  kubectl ")]
    assert all(command[1:3] == ["--namespace", "news"] for command in commands)
    in_pods = [command for command in commands if "--" in command]
    assert len(in_pods) == 2
    for command in in_pods:
        end = command.index("--")
        pod, arguments = command[end - 1], command[end + 1 :]
        owner = one(objects, "StatefulSet", pod.removesuffix("-0"))
        settings = environment(owner["spec"]["template"]["spec"])
        assert f'ENTRYPOINT ["{arguments[0]}"]' in (ROOT / "deploy" / "Dockerfile").read_text()
        [topic, operation] = {"submit": ["requests", "Write"], "tail": ["canonical", "Read"]}[arguments[1]]
        allowed = re.findall(rf"^\| fetcher \| topic \| `wireroom\.{topic}\.v1` \| (.*) \|$", ACLS, re.M)
        is_known = settings.keys() & {"WIREROOM__KAFKA__CLIENT__SASL_MECHANISM", "WIREROOM__KAFKA__CLIENT__SSL_CERTIFICATE_LOCATION"}
        is_said = f"{operation} on {settings['WIREROOM__KAFKA__PREFIX']}.{topic}.v1" in notes
        assert is_said == bool(is_known and operation not in ",".join(allowed)), arguments
        ran = subprocess.run([wireroom, *arguments[1:], "--help"], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr


def test_instances_that_come_back_keep_their_names():
    objects = render()
    for name, pod in pods(objects).items():
        if name.endswith("-topics"):
            continue
        settings = environment(pod)
        assert settings["WIREROOM__KAFKA__INSTANCE"] == "field-metadata.name"
        assert (settings["WIREROOM__KAFKA__STATIC_MEMBERSHIP"] == "true") == (name in STATEFUL), name
    assert {o["metadata"]["name"] for o in objects if o["kind"] == "StatefulSet"} == STATEFUL


def test_state_is_on_volumes_or_on_the_node():
    claims = lambda objects: one(objects, "StatefulSet", "press-wireroom-fetcher")["spec"].get("volumeClaimTemplates")
    assert claims(render())[0]["spec"]["resources"]["requests"]["storage"] == "10Gi"
    objects = render({"fetcher": {"persistence": {"enabled": False, "ephemeralSize": "3Gi"}}})
    assert claims(objects) is None
    assert {"name": "data", "emptyDir": {"sizeLimit": "3Gi"}} in pods(objects)["press-wireroom-fetcher"]["volumes"]


def test_selectors_find_their_own_pods_alone():
    objects = render({"monitoring": {"podMonitor": {"enabled": True}}})
    labels = {o["metadata"]["name"]: o["spec"]["template"]["metadata"]["labels"] for o in objects if "template" in o.get("spec", {})}
    # Which Kubernetes adds.
    labels["press-wireroom-topics"] |= {"batch.kubernetes.io/job-name": "press-wireroom-topics"}
    for o in objects:
        selector = o.get("spec", {}).get("selector") or o.get("spec", {}).get("podSelector")
        if not selector:
            continue
        wanted = selector.get("matchLabels", selector)
        found = {name for name, of_pod in labels.items() if wanted.items() <= of_pod.items()}
        everything = labels.keys() - {"press-wireroom-topics"}
        assert found == (everything if o["kind"] == "PodMonitor" else {o["metadata"]["name"]}), o["kind"]


def client(pod):
    """Settings of librdkafka."""
    prefix = "WIREROOM__KAFKA__CLIENT__"
    return {name.removeprefix(prefix): value for name, value in environment(pod).items() if name.startswith(prefix)}


def test_secrets_are_referred_to_and_nowhere_else():
    kafka = MATRIX["everything"]["kafka"]
    pod = pods(render({"kafka": kafka, "topics": {"mode": "job"}}))
    for name in ("press-wireroom-topics", "press-wireroom-cluster"):
        of_pod = client(pod[name])
        assert of_pod["SECURITY_PROTOCOL"] == "SASL_SSL"
        assert of_pod["SASL_USERNAME"] == "wireroom" and of_pod["SASL_PASSWORD"] == "secret-wireroom-password"
        assert of_pod["SSL_KEY_LOCATION"] == "/etc/wireroom/kafka-client/tls.key"
    assert not [o for o in render(MATRIX["everything"]) if o["kind"] == "Secret"]


def test_a_role_is_who_it_says_or_who_all_are():
    objects = render(MATRIX["users"])
    of = {name.removeprefix("press-wireroom-"): pod for name, pod in pods(objects).items()}
    users = {name: (client(pod).get("SASL_USERNAME"), client(pod).get("SASL_PASSWORD")) for name, pod in of.items()}
    assert users == {
        "topics": ("topics", "secret-topics-user-password"),
        "fetcher": ("fetcher", "secret-fetcher-user-password"),
        "extractor": ("secret-extractor-user-username", "secret-extractor-user-password"),
        "prepare": (None, None),
        "cluster": ("cluster", "secret-cluster-user-password"),
    }
    assert client(of["prepare"])["SECURITY_PROTOCOL"] == "SSL" and client(of["cluster"])["SECURITY_PROTOCOL"] == "SASL_SSL"
    certified = {name: {v["name"]: v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v} for name, pod in of.items()}
    assert certified.pop("prepare") == {"kafka-ca": "press-ca", "kafka-client": "prepare-user"}
    assert all(secrets == {"kafka-ca": "press-ca"} for secrets in certified.values())

    others = pods(render({"kafka": SASL, "cluster": {"kafka": {"sasl": {"username": "", "secret": "decider"}}}}))
    assert client(others["press-wireroom-cluster"])["SASL_USERNAME"] == "secret-decider-username"
    assert client(others["press-wireroom-topics"])["SASL_USERNAME"] == "wireroom"


def test_tokens_are_given_to_clients():
    of = {name.removeprefix("press-wireroom-"): client(pod) for name, pod in pods(render(MATRIX["oauth"])).items()}
    assert {settings["SASL_OAUTHBEARER_METHOD"] for settings in of.values()} == {"oidc"}
    assert {settings["SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL"] for settings in of.values()} == {"https://login.example:8443/token"}
    credentials = lambda settings: (settings["SASL_OAUTHBEARER_CLIENT_ID"], settings["SASL_OAUTHBEARER_CLIENT_SECRET"])
    assert credentials(of["fetcher"]) == ("fetcher", "secret-fetcher-client-password")
    assert credentials(of["topics"]) == credentials(of["cluster"]) == ("secret-press-client-username", "secret-press-client-password")
    assert of["cluster"]["SASL_OAUTHBEARER_SCOPE"] == "kafka press" and "SASL_OAUTHBEARER_SCOPE" not in of["fetcher"]
    assert not [settings for settings in of.values() if "SASL_USERNAME" in settings or "SASL_PASSWORD" in settings]


def test_who_gives_tokens_is_reached_by_all():
    objects = render(MATRIX["oauth"])
    for name in [*ROLES, "topics"]:
        egress = one(objects, "NetworkPolicy", f"press-wireroom-{name}")["spec"]["egress"]
        assert {"ports": [{"port": 8443, "protocol": "TCP"}]} in egress, name


def test_settings_of_the_client_are_written_as_they_are():
    rack = "a<b>&c, {d} 'e' \\ \"f\""
    settings = {"message.send.max.retries": 10000000, "enable.random.seed": False, "client.rack": rack}
    of_pod = client(pods(render({"kafka": {"client": settings}}))["press-wireroom-fetcher"])
    assert of_pod["MESSAGE_SEND_MAX_RETRIES"] == "10000000" and of_pod["ENABLE_RANDOM_SEED"] == "false"
    assert of_pod["CLIENT_RACK"] == rack


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("mechanism", ["", "PLAIN", "SCRAM-SHA-256", "OAUTHBEARER"])
def test_the_protocol_follows(tls, mechanism):
    sasl = {"mechanism": mechanism, "secret": "s", "oauth": {"tokenUrl": "https://a.example"}}
    protocol = ("SASL_" if mechanism else "") + ("SSL" if tls else "PLAINTEXT")
    of_pod = client(pods(render({"kafka": {"tls": {"enabled": tls}, "sasl": sasl}}))["press-wireroom-fetcher"])
    assert of_pod["SECURITY_PROTOCOL"] == protocol and of_pod.get("SASL_MECHANISM", "") == mechanism


def test_bodies_are_reached_by_those_who_read_them():
    of = {name: pod["containers"][0].get("envFrom") for name, pod in pods(render({"s3": {"secret": "b"}})).items()}
    assert {name for name, found in of.items() if found} == {"press-wireroom-fetcher", "press-wireroom-extractor"}


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [("http://collector:4318", 4318), ("https://collector.example", 443), ("http://[fd00::1]/otlp", 80)],
)
def test_a_collector_is_reached_by_all(endpoint, port):
    objects = render({"config": {"tracing": {"endpoint": endpoint}}})
    for role in ROLES:
        policy = one(objects, "NetworkPolicy", f"press-wireroom-{role}")
        assert {"ports": [{"port": port, "protocol": "TCP"}]} in policy["spec"]["egress"], role


def test_the_decider_reaches_the_schema_registry():
    objects = render({"config": {"normalizer": {"schema_registry": {"url": "https://registry.example:8081"}}}})
    rules = {role: one(objects, "NetworkPolicy", f"press-wireroom-{role}")["spec"]["egress"] for role in ROLES}
    assert [role for role in ROLES if {"ports": [{"port": 8081, "protocol": "TCP"}]} in rules[role]] == ["cluster"]


def test_whoever_makes_the_topics_reaches_kafka_alone():
    objects = render({"kafka": {"brokers": "a.news:9093,b.news:9094"}})
    policy = one(objects, "NetworkPolicy", "press-wireroom-topics")
    job = one(objects, "Job", "press-wireroom-topics")
    assert policy["spec"]["podSelector"]["matchLabels"] == {"batch.kubernetes.io/job-name": job["metadata"]["name"]}
    assert [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]] == [[53, 53], [9093, 9094]]
    assert "ingress" not in policy["spec"] and "Ingress" in policy["spec"]["policyTypes"]
    hooks = [o["metadata"]["annotations"] for o in (policy, job)]
    weights = [int(annotations.get("helm.sh/hook-weight", 0)) for annotations in hooks]
    assert hooks[0]["helm.sh/hook"] == hooks[1]["helm.sh/hook"] and weights[0] < weights[1]


def test_the_fetcher_reaches_nothing_private():
    policy = one(render({"networkPolicy": {"fetcherExcept": ["203.0.113.0/24"]}}), "NetworkPolicy", "press-wireroom-fetcher")
    blocks = [peer["ipBlock"] for rule in policy["spec"]["egress"] for peer in rule.get("to", [])]
    assert {"10.0.0.0/8", "169.254.0.0/16", "203.0.113.0/24"} <= set(blocks[0]["except"])
    other = one(render(), "NetworkPolicy", "press-wireroom-prepare")
    assert [[port["port"] for port in rule["ports"]] for rule in other["spec"]["egress"]] == [[53, 53], [9092]]


def test_scaling_follows_the_lag_of_the_role():
    scaled = one(render(MATRIX["scram"]), "ScaledObject", "press-wireroom-extractor")
    [trigger] = scaled["spec"]["triggers"]
    assert trigger["metadata"]["consumerGroup"] == "wireroom.extractor"
    assert trigger["metadata"]["topic"] == "wireroom.pages.v1"
    assert trigger["metadata"]["sasl"] == "scram_sha512"
    assert "replicas" not in one(render(MATRIX["scram"]), "Deployment", "press-wireroom-extractor")["spec"]


def test_scaling_asks_as_the_role():
    objects = render(MATRIX["users"])
    triggers, authenticated = {}, {}
    for role in ["extractor", "prepare"]:
        [trigger] = one(objects, "ScaledObject", f"press-wireroom-{role}")["spec"]["triggers"]
        triggers[role] = trigger["metadata"]
        authenticated[role] = one(objects, "TriggerAuthentication", trigger["authenticationRef"]["name"])["spec"]
    assert triggers["extractor"]["sasl"] == "scram_sha512" and "sasl" not in triggers["prepare"]
    assert {variable["containerName"] for variable in authenticated["extractor"]["env"]} == {"extractor"}
    assert [secret["name"] for secret in authenticated["extractor"]["secretTargetRef"]] == ["press-ca"]
    assert "env" not in authenticated["prepare"]
    keys = [(secret["parameter"], secret["name"], secret["key"]) for secret in authenticated["prepare"]["secretTargetRef"]]
    assert keys == [("ca", "press-ca", "ca.crt"), ("cert", "prepare-user", "user.crt"), ("key", "prepare-user", "user.key")]


@pytest.mark.parametrize("row", ["scram", "users", "oauth"])
def test_scaling_knows_what_the_pods_know(row):
    objects = render(MATRIX[row])
    by_name = {"username": "USERNAME", "password": "PASSWORD"}
    by_token = {"username": "CLIENT_ID", "password": "CLIENT_SECRET", "oauthTokenEndpointUri": "TOKEN_ENDPOINT_URL", "scopes": "SCOPE"}
    read = one(objects, "TriggerAuthentication", "press-wireroom-extractor")["spec"]["env"]
    prefix = "WIREROOM__KAFKA__CLIENT__SASL_" + ("OAUTHBEARER_" if row == "oauth" else "")
    variables = {variable["parameter"]: variable["name"].removeprefix(prefix) for variable in read}
    assert variables == (by_token if row == "oauth" else by_name)
    assert {variable["name"] for variable in read} <= environment(pods(objects)["press-wireroom-extractor"]).keys()
    [trigger] = one(objects, "ScaledObject", "press-wireroom-extractor")["spec"]["triggers"]
    assert trigger["metadata"]["sasl"] == ("oauthbearer" if row == "oauth" else "scram_sha512")


def test_topics_come_one_way():
    kinds = {mode: {o["kind"] for o in render(topics(mode))} & {"Job", "KafkaTopic"} for mode in ("job", "strimzi", "none")}
    assert kinds == {"job": {"Job"}, "strimzi": {"KafkaTopic"}, "none": set()}
    job = one(render(), "Job", "press-wireroom-topics")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_strimzi_makes_the_topics_that_wireroom_would():
    source = (ROOT / "services/wireroom/src/topics.rs").read_text()
    topics_made = [o for o in render(topics("strimzi")) if o["kind"] == "KafkaTopic"]
    assert all(o["metadata"]["labels"]["strimzi.io/cluster"] == "press" for o in topics_made)
    made = {o["spec"]["topicName"] for o in topics_made}
    plain = {f"wireroom.{name.lower()}.v1" for name in re.findall(r"Topic::(\w+)\.name\(\)", source)}
    logs = {f"wireroom.changelog.{name}.v1" for name in re.findall(r'changelog\("(\w+)"', source)}
    dead = {f"wireroom.{name}.v1" for name in re.findall(r'"(deadletters\.\w+)"', source)}
    assert made == plain | logs | dead and len(made) > 10
    for kind, name, days in re.findall(r"TopicSpec::(deleted)\(Topic::(\w+)\.name\(\), \w+, (\d+)\)", source):
        config = one(render(topics("strimzi")), "KafkaTopic", f"wireroom.{name.lower()}.v1")["spec"]["config"]
        assert config["retention.ms"] == int(days) * 86_400_000, name


def test_deciders_by_language_have_a_partition_each():
    values = {**topics("strimzi"), "config": {"normalizer": {"languages": ["de", "fr, es"]}}, "cluster": {"replicas": 4}}
    made = {o["spec"]["topicName"]: o["spec"]["partitions"] for o in render(values) if o["kind"] == "KafkaTopic"}
    assert made["wireroom.prepared.v1"] == made["wireroom.changelog.cluster.v1"] == 3
    assert made["wireroom.canonical.v1"] == 12


def topics(mode):
    return {"topics": {"mode": mode, "strimzi": {"cluster": "press"}}}


def test_rules_and_dashboards_come_from_files(tmp_path):
    chart = shutil.copytree(CHART, tmp_path / "wireroom")
    rule = {"alert": "Quiet", "expr": "up == 0", "annotations": {"runbook_url": "deploy/runbooks/Quiet.md", "summary": "{{ $labels.pod }}"}}
    (chart / "rules" / "quiet.yaml").write_text(yaml.safe_dump({"groups": [{"name": "quiet", "rules": [rule]}]}))
    (chart / "dashboards" / "quiet.json").write_text(json.dumps({"title": "{{ quiet }}"}))
    objects = render({"monitoring": MATRIX["everything"]["monitoring"]}, chart=chart)
    made = one(objects, "PrometheusRule", "press-wireroom-quiet")
    assert faults([made], "1.34") == []
    annotations = made["spec"]["groups"][0]["rules"][0]["annotations"]
    assert annotations == {"runbook_url": "https://press.example/runbooks/Quiet.md", "summary": "{{ $labels.pod }}"}
    dashboard = one(objects, "ConfigMap", "press-wireroom-dashboard-quiet")
    assert json.loads(dashboard["data"]["quiet.json"]) == {"title": "{{ quiet }}"}
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_a_change_of_configuration_restarts_and_one_of_sources_does_not():
    def sum_of(values):
        found = one(render(values), "StatefulSet", "press-wireroom-fetcher")
        return found["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    sources = lambda name: {"sources": {"toml": f'[[outlet]]\nid = "{name}"\n'}}
    assert sum_of(sources("a")) == sum_of(sources("b"))
    assert sum_of({}) != sum_of({"config": {"fetcher": {"delay": "2s"}}})


def users(*names):
    return {name: {"kafka": {"sasl": {"secret": "s"}}} for name in names}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"fetchr": {}}, "fetchr"),
        ({"fetcher": {"replica": 2}}, "replica"),
        ({"fetcher": {"replicas": "two"}}, "/fetcher/replicas"),
        ({"fetcher": {"autoscaling": {"type": "hpa"}}}, "autoscaling"),
        ({"fetcher": {"persistence": {"size": "much"}}}, "/fetcher/persistence/size"),
        ({"fetcher": {"replicas": 13}}, "fetcher.replicas is 13"),
        ({"cluster": {"replicas": 3}}, "cluster.replicas is 3"),
        ({"cluster": {"replicas": 5}, "config": {"normalizer": {"languages": ["de", "fr, es"]}}}, "cluster.replicas is 5"),
        ({"config": {"normalizer": {"languages": ["German"]}}}, "/config/normalizer/languages/0"),
        ({"extractor": {"autoscaling": {"type": "vpa"}}}, "/extractor/autoscaling/type"),
        ({"extractor": {"autoscaling": {"type": "keda", "maxReplicas": 13}}}, "extractor.autoscaling.maxReplicas is 13"),
        ({"prepare": {"autoscaling": {"minReplicas": 7}}}, "prepare.autoscaling.minReplicas is 7"),
        ({"prepare": {"autoscaling": {"type": "hpa"}, "resources": {"requests": {"cpu": None}}}}, "prepare.resources.requests.cpu"),
        ({"kafka": {"brokers": "kafka"}}, "/kafka/brokers"),
        ({"kafka": {"partitions": 0}}, "/kafka/partitions"),
        ({"kafka": {"client": {"sasl.password": "x"}}}, "sasl.password"),
        ({"kafka": {"client": {"client_rack": "a"}}}, "client_rack"),
        ({"kafka": {"prefix": "_2024"}}, "/kafka/prefix"),
        ({"kafka": {"sasl": {"mechanism": "GSSAPI"}}}, "/kafka/sasl/mechanism"),
        ({"kafka": {"sasl": {"mechanism": "PLAIN"}}}, "kafka.sasl.secret"),
        ({"kafka": {"sasl": {"mechanism": "PLAIN"}}, "topics": {"mode": "none"}, **users("fetcher", "extractor", "prepare")}, "cluster.kafka.sasl.secret"),
        ({"kafka": {"sasl": {"mechanism": "PLAIN"}}, **users(*ROLES)}, "topics.kafka.sasl.secret"),
        ({"kafka": {"sasl": {"mechanism": "OAUTHBEARER", "secret": "s"}}}, "oauth.tokenUrl"),
        ({"kafka": {"sasl": {"mechanism": "OAUTHBEARER", "oauth": {"tokenUrl": "https://a.example"}}}}, "kafka.sasl.secret"),
        ({"kafka": {"sasl": {"oauth": {"tokenUrl": "http://a.example"}}}}, "/kafka/sasl/oauth/tokenUrl"),
        ({"kafka": {"sasl": {"oauth": {"token_url": "https://a.example"}}}}, "token_url"),
        ({"kafka": {"client": {"sasl.oauthbearer.client.secret": "x"}}}, "sasl.oauthbearer.client.secret"),
        ({"fetcher": {"kafka": {"brokers": "other:9092"}}}, "brokers"),
        ({"prepare": {"kafka": {"sasl": {"mechanism": "GSSAPI"}}}}, "/prepare/kafka/sasl/mechanism"),
        ({"topics": {"kafka": {"tls": {"caSecret": "ca"}}}}, "caSecret"),
        ({"cluster": {"kafka": {"tls": {"clientSecret": "tls"}}}}, "cluster.kafka.tls.clientSecret"),
        ({"kafka": {"tls": {"caSecret": "ca"}}}, "kafka.tls.enabled"),
        ({"topics": {"mode": "yes"}}, "/topics/mode"),
        ({"topics": {"mode": "strimzi"}}, "topics.strimzi.cluster"),
        ({"topics": {"replication": 0}}, "/topics/replication"),
        ({"config": {"fetcher": {"dealy": "1s"}}}, "dealy"),
        ({"config": {"fetcher": {"delay": 2}}}, "/config/fetcher/delay"),
        ({"config": {"fetcher": {"websub_callback": "https://a.example"}}}, "websub.secret"),
        ({"config": {"extractor": {"refuse": ["all"]}}}, "/config/extractor/refuse/0"),
        ({"drain": {"seconds": 0}}, "/drain/seconds"),
        ({"image": {"digest": "sha256:1"}}, "/image/digest"),
        ({"sources": {"toml": "a", "existingConfigMap": "b"}}, "sources.existingConfigMap"),
        ({"monitoring": {"rules": {"enabled": True}}}, "monitoring.rules.runbooks"),
        ({"extraEnv": [{"nmae": "A"}]}, "nmae"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_values_are_refused_by_name(values, named):
    with pytest.raises(HelmError) as refused:
        render(values)
    assert named in str(refused.value)


def test_the_schema_knows_every_value_and_setting():
    schema = json.loads((CHART / "values.schema.json").read_text())

    def undescribed(values, schema, path=""):
        if "properties" in schema:
            yield from (f"{path}.{name}" for name in values.keys() ^ (schema["properties"].keys() - {"global"}))
            for name in values.keys() & schema["properties"].keys():
                # What is empty there names nothing.
                if isinstance(values[name], dict) and values[name]:
                    yield from undescribed(values[name], schema["properties"][name], f"{path}.{name}")

    assert list(undescribed(yaml.safe_load((CHART / "values.yaml").read_text()), schema)) == []
    for section, file, name, others in [
        # What the chart sets itself, and what is read from elsewhere.
        ("fetcher", "fetcher/src/config.rs", "Config", {"sources", "websub_key", "store", "instance"}),
        ("extractor", "extractor/src/config.rs", "Config", set()),
        ("normalizer", "normalizer/src/worker.rs", "Config", {"role"}),
        ("store", "shared/archive/src/store.rs", "StoreSettings", set()),
        ("tracing", "shared/trace/src/tracer.rs", "Section", set()),
    ]:
        body = (ROOT / "services" / file).read_text().split(f"pub struct {name} {{")[1].split("\n}")[0]
        fields = set(re.findall(r"^    pub (\w+):", body, re.M))
        assert schema["properties"]["config"]["properties"][section]["properties"].keys() == fields - others, section


def test_every_value_is_explained():
    assert [path for path, _, said in rows((CHART / "values.yaml").read_text()) if not said] == []


def test_the_readme_has_every_value():
    assert (CHART / "README.md").read_text() == readme(), "run tests/ops/values_table.py"


def test_the_checks_find_what_they_are_for():
    objects = render(MATRIX["everything"])
    monitor = one(objects, "PodMonitor", "press-wire")
    monitor["spec"]["podMetricsEndpoints"][0]["prot"] = "http"
    assert "prot" in faults([monitor], "1.34")[0]
    stateful = one(objects, "StatefulSet", "press-wire-fetcher")
    stateful["spec"]["template"]["spec"]["containers"][0]["imagePull"] = "Always"
    # The published schemas find it, and the API server's own validation.
    assert ["imagePull" in fault for fault in faults([stateful], "1.34")] == [True, True]
    topic = next(o for o in objects if o["kind"] == "KafkaTopic")
    topic["spec"]["partition"] = 3
    assert "partition" in faults([topic], "1.34")[0]
    pod = stateful["spec"]["template"]["spec"]
    del pod["containers"][0]["securityContext"]["capabilities"]
    pod["volumes"].append({"name": "host", "hostPath": {"path": "/"}})
    assert unrestricted(pod) == ["volume host is a hostPath", "fetcher: capabilities.drop"]
