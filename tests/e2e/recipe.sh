# Instance failover made by hand: the published recipe, step by step, with the AWS CLI.
# Needs ZONE, BLUE_ID, BLUE_ADDRESS and GREEN_ADDRESS.
set -euo pipefail

TOPIC=$(aws sns create-topic --name PingPublicationsSNS --query TopicArn --output text)
aws sns subscribe --topic-arn "$TOPIC" --protocol sms --notification-endpoint +15555550100

# 1. The alarm on the status checks of the blue instance. Missing data is a failure.
aws cloudwatch put-metric-alarm \
  --alarm-name bookstore-api-blue-StatusCheckFailed \
  --alarm-description "Bookstore API (Blue) instance failure." \
  --actions-enabled --alarm-actions "$TOPIC" \
  --namespace AWS/EC2 --metric-name StatusCheckFailed \
  --dimensions "Name=InstanceId,Value=$BLUE_ID" \
  --statistic Maximum --period 60 --evaluation-periods 1 --datapoints-to-alarm 1 \
  --threshold 1 --comparison-operator GreaterThanOrEqualToThreshold \
  --treat-missing-data breaching

# 2. The health check that follows the alarm.
CHECK=$(aws route53 create-health-check --caller-reference bookstore \
  --health-check-config '{
    "Type": "CLOUDWATCH_METRIC", "InsufficientDataHealthStatus": "Unhealthy", "Inverted": false,
    "AlarmIdentifier": {"Region": "us-west-2", "Name": "bookstore-api-blue-StatusCheckFailed"}}' \
  --query HealthCheck.Id --output text)

# 3. The failover pair, in one change batch.
aws route53 change-resource-record-sets --hosted-zone-id "$ZONE" --change-batch '{
  "Changes": [
    {"Action": "CREATE", "ResourceRecordSet": {
      "Name": "bookstore.pingpublications.com.", "Type": "A", "TTL": 60,
      "SetIdentifier": "bookstore-Primary", "Failover": "PRIMARY", "HealthCheckId": "'"$CHECK"'",
      "ResourceRecords": [{"Value": "'"$BLUE_ADDRESS"'"}]}},
    {"Action": "CREATE", "ResourceRecordSet": {
      "Name": "bookstore.pingpublications.com.", "Type": "A", "TTL": 60,
      "SetIdentifier": "bookstore-Secondary", "Failover": "SECONDARY",
      "ResourceRecords": [{"Value": "'"$GREEN_ADDRESS"'"}]}}]}'

# 4. The alarms on the metrics that the probes on the hosts publish.
connectivity_alarm() {  # host, colour, dependency, its label
  aws cloudwatch put-metric-alarm \
    --alarm-name "$1-$3-connectivity-failed" \
    --alarm-description "$4 Connectivity failure for Bookstore API ($2)." \
    --actions-enabled --alarm-actions "$TOPIC" \
    --namespace Bookstore --metric-name "$3-connectivity" --dimensions "Name=Host,Value=$1" \
    --statistic Average --period 60 --evaluation-periods 2 --datapoints-to-alarm 2 \
    --threshold 1 --comparison-operator LessThanThreshold
}
connectivity_alarm bookstore-api-blue Blue db Database
connectivity_alarm bookstore-api-blue Blue cdn CDN
connectivity_alarm bookstore-api-green Green db Database
connectivity_alarm bookstore-api-green Green cdn CDN
