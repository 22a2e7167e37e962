{{- define "image" -}}
{{- $i := .image -}}
{{- if $i.override -}}{{ $i.override }}
{{- else if $i.overrideRepository -}}{{ $i.overrideRepository }}:{{ $i.tag }}
{{- else -}}{{ $i.account }}.dkr.ecr.{{ $i.region }}.{{ $i.domain }}/{{ .name }}:{{ $i.tag }}
{{- end -}}
{{- end -}}
