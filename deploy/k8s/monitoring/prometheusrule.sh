#!/bin/sh
# Prints Prometheus rule files as objects for the Prometheus operator, so that there is one copy of the rules:
# sh deploy/k8s/monitoring/prometheusrule.sh deploy/prometheus/rules/*.yml | kubectl apply --namespace convserve --filename -
set -eu
for file in "$@"; do
    cat <<END
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: convserve-$(basename "$file" .yml)
  labels:
    app.kubernetes.io/name: convserve
spec:
END
    sed 's/^/  /' "$file"  # "groups:" becomes a member of spec
done
