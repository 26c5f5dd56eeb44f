{{/* The pod of a role: (dict "root" $ "role" NAME). What is stateful keeps its name and, if wanted, its volume. */}}
{{- define "wireroom.pod" -}}
{{- $root := .root }}
{{- $name := .role }}
{{- $values := index .root.Values $name }}
{{- $role := index (include "wireroom.roles" .root | fromYaml) $name }}
{{- with .root.Values }}
metadata:
  labels:
    {{- include "wireroom.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $name }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "wireroom.config" $root | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "wireroom.serviceAccount" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    {{- toYaml .podSecurityContext | nindent 4 }}
  terminationGracePeriodSeconds: {{ add .drain.preStopSeconds .drain.seconds 10 }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .topologySpread.enabled }}
  topologySpreadConstraints:
    {{- range .topologySpread.keys }}
    - topologyKey: {{ . }}
      maxSkew: {{ $root.Values.topologySpread.maxSkew }}
      whenUnsatisfiable: {{ $root.Values.topologySpread.whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "wireroom.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $name }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ $name }}
      image: {{ include "wireroom.image" $root | quote }}
      imagePullPolicy: {{ .image.pullPolicy }}
      args: {{ toJson $role.args }}
      env:
        {{- include "wireroom.kafka.env" $ | trim | nindent 8 }}
        - name: WIREROOM__KAFKA__INSTANCE
          valueFrom:
            fieldRef: {fieldPath: metadata.name}
        {{- /* A name that never comes back must not keep its partitions. */}}
        - name: WIREROOM__KAFKA__STATIC_MEMBERSHIP
          value: {{ hasKey $values "persistence" | quote }}
        - name: WIREROOM__SERVICE__LISTEN
          value: "0.0.0.0:{{ $role.port }}"
        - name: WIREROOM__SERVICE__DATA
          value: /var/lib/wireroom
        - name: WIREROOM__SERVICE__DRAIN_DEADLINE
          value: {{ .drain.seconds }}s
        - name: WIREROOM__SERVICE__LOG_FORMAT
          value: {{ .log.format }}
        - name: WIREROOM__SERVICE__LOG_FILTER
          value: {{ .log.filter | quote }}
        {{- if .config.tracing.endpoint }}
        - name: OTEL_RESOURCE_ATTRIBUTES
          value: service.instance.id=$(WIREROOM__KAFKA__INSTANCE),k8s.namespace.name={{ $root.Release.Namespace }}
        {{- end }}
        - name: WIREROOM_CONFIG
          value: /etc/wireroom/config/wireroom.toml
        {{- if and (eq $name "fetcher") .websub.secret }}
        - name: WIREROOM__FETCHER__WEBSUB_KEY
          valueFrom:
            secretKeyRef: {name: {{ .websub.secret }}, key: {{ .websub.key }}}
        {{- end }}
        {{- with concat .extraEnv $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if and .s3.secret (has $name (list "fetcher" "extractor")) }}
      envFrom:
        - secretRef: {name: {{ .s3.secret }}}
      {{- end }}
      ports:
        - {name: http, containerPort: {{ $role.port }}, protocol: TCP}
      startupProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 20
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
      {{- if and .drain.preStopSeconds (semverCompare ">=1.30.0-0" $root.Capabilities.KubeVersion.Version) }}
      lifecycle:
        preStop:
          sleep: {seconds: {{ .drain.preStopSeconds }}}
      {{- end }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .securityContext | nindent 8 }}
      volumeMounts:
        - {name: data, mountPath: /var/lib/wireroom}
        - {name: config, mountPath: /etc/wireroom/config, readOnly: true}
        {{- if and (eq $name "fetcher") (include "wireroom.sources" $root) }}
        - {name: sources, mountPath: /etc/wireroom/sources, readOnly: true}
        {{- end }}
        {{- include "wireroom.kafka.mounts" $ | trim | nindent 8 }}
        {{- with .extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "wireroom.fullname" $root }}}
    {{- if and (eq $name "fetcher") (include "wireroom.sources" $root) }}
    - name: sources
      configMap: {name: {{ include "wireroom.sources" $root }}}
    {{- end }}
    {{- $persistence := default dict $values.persistence }}
    {{- if not $persistence.enabled }}
    - name: data
      emptyDir: {sizeLimit: {{ default "64Mi" $persistence.ephemeralSize }}}
    {{- end }}
    {{- include "wireroom.kafka.volumes" $ | trim | nindent 4 }}
    {{- with .extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
