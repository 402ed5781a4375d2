#!/bin/bash
# Can this host reach the CDN? One TCP connection every ten seconds, told to CloudWatch.

host=${TARGET_HOST:-cdn.bookstore.pingpublications.com}
port=${TARGET_PORT:-80}
metric=${METRIC:-cdn-connectivity}
name=${NAME_TAG:-bookstore-api-blue}

while true; do
  if nc -z -w 5 "$host" "$port"; then
    echo "$metric $host:$port succeeded"
    value=1
  else
    echo "$metric $host:$port failed"
    value=0
  fi
  aws cloudwatch put-metric-data --namespace "${NAMESPACE:-Bookstore}" --metric-name "$metric" \
    --dimensions "Host=$name" --value "$value" ${ENDPOINT_URL:+--endpoint-url "$ENDPOINT_URL"}
  sleep "${INTERVAL:-10}"
done
