{{/* First part of the names of what is made. */}}
{{- define "wireroom.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* Labels of everything. */}}
{{- define "wireroom.labels" -}}
{{ include "wireroom.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels that tell this release's pods from others'. */}}
{{- define "wireroom.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wireroom.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "wireroom.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "wireroom.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The roles: how each is started, its port, and what it reads. */}}
{{- define "wireroom.roles" -}}
fetcher: {args: [fetcher], port: 9464, topic: requests}
extractor: {args: [extractor], port: 9465, topic: pages}
prepare: {args: [normalizer, --role, prepare], port: 9467, topic: articles}
cluster: {args: [normalizer, --role, cluster], port: 9466, topic: prepared}
{{- end }}

{{/* The port of an address. */}}
{{- define "wireroom.port" -}}
{{- $url := urlParse . -}}
{{ regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "https" | ternary "443" "80") }}
{{- end }}
