{{/* How processes reach Kafka. Each of these is given (dict "root" $ "role" NAME), NAME being a role's, or topics. */}}

{{/* kafka of the values, with what the role has of its own in the place of it, key by key. */}}
{{- define "wireroom.kafka" -}}
{{- mergeOverwrite (deepCopy .root.Values.kafka) (index .root.Values .role).kafka | toYaml }}
{{- end }}

{{- define "wireroom.kafka.env" -}}
{{- $kafka := include "wireroom.kafka" . | fromYaml }}
{{- $secure := $kafka.tls.enabled | ternary "SSL" "PLAINTEXT" }}
{{- $client := dict "security.protocol" ($kafka.sasl.mechanism | empty | ternary $secure (printf "SASL_%s" $secure)) }}
{{- if $kafka.tls.caSecret }}
{{- $_ := set $client "ssl.ca.location" "/etc/wireroom/kafka-ca/ca.crt" }}
{{- end }}
{{- if $kafka.tls.clientSecret }}
{{- $_ := set $client "ssl.certificate.location" "/etc/wireroom/kafka-client/tls.crt" }}
{{- $_ := set $client "ssl.key.location" "/etc/wireroom/kafka-client/tls.key" }}
{{- end }}
{{- with $kafka.sasl }}
{{- if .mechanism }}
{{- $_ := set $client "sasl.mechanism" .mechanism }}
{{- $oauth := eq .mechanism "OAUTHBEARER" }}
{{- if $oauth }}
{{- $_ := set $client "sasl.oauthbearer.method" "oidc" }}
{{- $_ := set $client "sasl.oauthbearer.token.endpoint.url" .oauth.tokenUrl }}
{{- with .oauth.scope }}
{{- $_ := set $client "sasl.oauthbearer.scope" . }}
{{- end }}
{{- end }}
- name: WIREROOM__KAFKA__CLIENT__SASL_{{ $oauth | ternary "OAUTHBEARER_CLIENT_ID" "USERNAME" }}
  {{- if .username }}
  value: {{ .username | quote }}
  {{- else }}
  valueFrom:
    secretKeyRef: {name: {{ .secret }}, key: {{ .usernameKey }}}
  {{- end }}
- name: WIREROOM__KAFKA__CLIENT__SASL_{{ $oauth | ternary "OAUTHBEARER_CLIENT_SECRET" "PASSWORD" }}
  valueFrom:
    secretKeyRef: {name: {{ .secret }}, key: {{ .passwordKey }}}
{{- end }}
{{- end }}
- name: WIREROOM__KAFKA__BROKERS
  value: {{ $kafka.brokers | quote }}
- name: WIREROOM__KAFKA__PREFIX
  value: {{ $kafka.prefix | quote }}
- name: WIREROOM__KAFKA__PARTITIONS
  value: {{ $kafka.partitions | quote }}
- name: WIREROOM__KAFKA__SESSION_TIMEOUT
  value: {{ $kafka.sessionTimeout | quote }}
{{- range $name, $value := merge $client $kafka.client }}
- name: WIREROOM__KAFKA__CLIENT__{{ $name | replace "." "_" | upper }}
  {{- /* Numbers as they were written, without exponents. */}}
  value: {{ kindIs "string" $value | ternary $value (toRawJson $value) | quote }}
{{- end }}
{{- end }}

{{- define "wireroom.kafka.volumes" -}}
{{- with (include "wireroom.kafka" . | fromYaml).tls }}
{{- if .caSecret }}
- name: kafka-ca
  secret:
    secretName: {{ .caSecret }}
    items: [{key: {{ .caKey }}, path: ca.crt}]
{{- end }}
{{- if .clientSecret }}
- name: kafka-client
  secret:
    secretName: {{ .clientSecret }}
    items: [{key: {{ .clientCertKey }}, path: tls.crt}, {key: {{ .clientKeyKey }}, path: tls.key}]
{{- end }}
{{- end }}
{{- end }}

{{- define "wireroom.kafka.mounts" -}}
{{- with (include "wireroom.kafka" . | fromYaml).tls }}
{{- if .caSecret }}
- {name: kafka-ca, mountPath: /etc/wireroom/kafka-ca, readOnly: true}
{{- end }}
{{- if .clientSecret }}
- {name: kafka-client, mountPath: /etc/wireroom/kafka-client, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{/* The rules of a NetworkPolicy by which a pod reaches the brokers, names, and who gives its tokens. */}}
{{- define "wireroom.kafka.egress" }}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
- ports:
    {{- $ports := list }}
    {{- range splitList "," .root.Values.kafka.brokers }}
    {{- $ports = append $ports (splitList ":" . | last | trim) }}
    {{- end }}
    {{- range uniq $ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .root.Values.networkPolicy.kafkaTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- with (include "wireroom.kafka" . | fromYaml).sasl }}
{{- if eq .mechanism "OAUTHBEARER" }}
- ports: [{port: {{ include "wireroom.port" .oauth.tokenUrl }}, protocol: TCP}]
{{- end }}
{{- end }}
{{- end }}
