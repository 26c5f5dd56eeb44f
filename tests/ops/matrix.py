"""Values that the chart is rendered with: each a way to run it, those that the READMEs show among them."""

import re

import yaml
from helm import CHART, ROOT

SASL = {"sasl": {"mechanism": "SCRAM-SHA-512", "username": "wireroom", "secret": "wireroom"}}
TLS = {"tls": {"enabled": True, "caSecret": "press-ca", "clientSecret": "wireroom-tls"}}
ROLES = ["fetcher", "extractor", "prepare", "cluster"]

MATRIX = {
    "defaults": {},
    "least": {
        **{role: {"replicas": 1, "pdb": {"enabled": False}} for role in ["extractor", "prepare"]},
        **{role: {"replicas": 1, "persistence": {"enabled": False}} for role in ["fetcher", "cluster"]},
        "topics": {"mode": "none"},
        "networkPolicy": {"enabled": False},
        "topologySpread": {"enabled": False},
        "serviceAccount": {"create": False},
    },
    "scram": {"kafka": SASL, "extractor": {"autoscaling": {"type": "keda"}}},
    "mtls": {"kafka": TLS, "prepare": {"autoscaling": {"type": "keda"}}},
    "users": {
        "kafka": {"sasl": {"mechanism": "SCRAM-SHA-512"}, "tls": {"enabled": True, "caSecret": "press-ca"}},
        **{name: {"kafka": {"sasl": {"username": name, "secret": f"{name}-user"}}} for name in ["topics", "fetcher", "cluster"]},
        "extractor": {"kafka": {"sasl": {"secret": "extractor-user"}}, "autoscaling": {"type": "keda"}},
        "prepare": {
            "kafka": {"sasl": {"mechanism": ""}, "tls": {"clientSecret": "prepare-user", "clientCertKey": "user.crt", "clientKeyKey": "user.key"}},
            "autoscaling": {"type": "keda"},
        },
    },
    "oauth": {
        "kafka": {
            "sasl": {"mechanism": "OAUTHBEARER", "secret": "press-client", "oauth": {"tokenUrl": "https://login.example:8443/token", "scope": "kafka press"}},
            "tls": {"enabled": True},
        },
        "fetcher": {"kafka": {"sasl": {"username": "fetcher", "secret": "fetcher-client", "oauth": {"scope": ""}}}},
        **{role: {"autoscaling": {"type": "keda"}} for role in ["extractor", "prepare"]},
    },
    "everything": {
        "nameOverride": "wire",
        "commonLabels": {"team": "desk"},
        "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": ["registry"]},
        "kafka": {
            **SASL,
            **TLS,
            "brokers": "a.news:9093,b.news:9094",
            "prefix": "2024",
            "partitions": 24,
            "client": {"socket.timeout.ms": 60000, "enable.ssl.certificate.verification": True},
        },
        "topics": {"mode": "strimzi", "replication": 3, "strimzi": {"cluster": "press", "namespace": "kafka", "apiVersion": "kafka.strimzi.io/v1beta2"}},
        "config": {
            "fetcher": {
                "user_agent": 'wireroom/0.1 ("<&>" +https://press.example/bot)',
                "delay": "2s",
                "revisits": ["1h", "7days"],
                "daily_quota": 5000,
                "archive": "/var/lib/wireroom/archive",
                "archive_file_bytes": 1073741824,
                "websub_callback": "https://press.example",
            },
            "extractor": {"refuse": ["noai", "tdm"]},
            "normalizer": {
                "encoding": "json",
                "drop_boilerplate": False,
                "languages": ["de", "fr, es"],
                "schema_registry": {"url": "http://registry.news:8081", "user": "wireroom"},
            },
            "store": {"location": "s3://press-bodies/wireroom", "above_bytes": 2000000},
            "tracing": {"endpoint": "http://collector.watch:4318", "sample": 0.05},
        },
        "log": {"filter": "info,fetcher=debug"},
        "drain": {"seconds": 60, "preStopSeconds": 15},
        "sources": {"toml": '[[outlet]]\nid = "harbour-post"\nfeeds = ["https://harbour.example/feed.xml"]\n'},
        "s3": {"secret": "bodies"},
        "websub": {"secret": "websub"},
        "serviceAccount": {"name": "wire", "annotations": {"example/role": "wire"}},
        "topologySpread": {"whenUnsatisfiable": "DoNotSchedule"},
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
        "extraVolumes": [{"name": "roots", "configMap": {"name": "roots"}}],
        "extraVolumeMounts": [{"name": "roots", "mountPath": "/etc/roots", "readOnly": True}],
        **{
            role: {
                "podAnnotations": {"example/a": "b"},
                "podLabels": {"example/c": "d"},
                "nodeSelector": {"disk": "fast"},
                "tolerations": [{"key": "press", "operator": "Exists"}],
                "affinity": {"nodeAffinity": {}},
                "priorityClassName": "high",
                "extraEnv": [{"name": "RUST_LOG", "value": "debug"}],
            }
            for role in ROLES
        },
        "networkPolicy": {
            "ingressFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}}],
            "kafkaTo": [{"podSelector": {"matchLabels": {"strimzi.io/cluster": "press"}}}],
            "fetcherExcept": ["203.0.113.0/24", "2001:db8::/32"],
            "extraEgress": [{"ports": [{"port": 3128, "protocol": "TCP"}]}],
        },
        "monitoring": {
            "podMonitor": {"enabled": True, "labels": {"release": "watch"}},
            "rules": {"enabled": True, "runbooks": "https://press.example/runbooks/"},
            "dashboards": {"enabled": True, "annotations": {"grafana_folder": "Press"}},
        },
        "extraObjects": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}},
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-text\n",
        ],
    },
    "hpa": {
        "extractor": {"autoscaling": {"type": "hpa", "maxReplicas": 12}},
        "prepare": {"autoscaling": {"type": "hpa", "minReplicas": 2}},
        "cluster": {"replicas": 2},
        "sources": {"existingConfigMap": "outlets"},
    },
}

for file in (CHART / "README.md", ROOT / "deploy" / "README.md"):
    examples = re.findall(r"^```yaml\n(.*?)^```$", file.read_text(), re.DOTALL | re.MULTILINE)
    assert examples, f"{file} shows no values any more"
    MATRIX |= {f"{file.parent.name} {number}": yaml.safe_load(text) for number, text in enumerate(examples, 1)}
