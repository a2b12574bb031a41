{{- define "turnstile.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{/* What all pods have in common, and nothing that changes: a Deployment's selector cannot be changed. */}}
{{- define "turnstile.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "turnstile.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "turnstile.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "turnstile.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Whole seconds from milliseconds, rounded up. */}}
{{- define "turnstile.seconds" -}}
{{ div (add (int .) 999) 1000 }}
{{- end }}

{{/*
As long as a process may take to go in peace: it says that it is not ready and serves on (the drain), answers what is under way (a
request's time-out), hands its partitions over and lets calls end. Then it is killed, which costs others a lease to notice.
*/}}
{{- define "turnstile.graceSeconds" -}}
{{- with .Values.settings -}}
{{ add (include "turnstile.seconds" (add (int .TURNSTILE_DRAIN_MS) (int .TURNSTILE_REQUEST_TIMEOUT_MS))) 20 }}
{{- end }}
{{- end }}

{{/* Settings as environment variables, where no ConfigMap can be relied on. Numbers come without an exponent. */}}
{{- define "turnstile.settings" -}}
{{- range $name, $value := .Values.settings }}
{{- if ne (toString $value) "" }}
{{ $name }}: {{ if kindIs "float64" $value }}{{ $value | int64 | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- end }}
{{- with .Values.operatorPort }}
OPERATOR_PORT: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "turnstile.secretEnv" -}}
{{- with .Values.existingSecret }}
{{- range .env }}
- name: {{ . }}
  valueFrom:
    secretKeyRef: { name: {{ $.Values.existingSecret.name }}, key: {{ . }} }
{{- end }}
{{- range $name, $key := .files }}
- name: {{ $name }}
  value: /etc/turnstile/secrets/{{ $key }}
{{- end }}
{{- end }}
{{- end }}

{{- define "turnstile.volumeMounts" -}}
{{- if .Values.existingSecret.files }}
- name: secrets
  mountPath: /etc/turnstile/secrets
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "turnstile.volumes" -}}
{{- if .Values.existingSecret.files }}
- name: secrets
  secret:
    secretName: {{ .Values.existingSecret.name }}
    defaultMode: 0440
    items:
      {{- range .Values.existingSecret.files }}
      - { key: {{ . }}, path: {{ . }} }
      {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "turnstile.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where a pod may run and as whom. */}}
{{- define "turnstile.placement" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
