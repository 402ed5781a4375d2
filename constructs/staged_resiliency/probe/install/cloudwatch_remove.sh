# Step Remove: removes the configuration in the parameter from the CloudWatch agent.
. ./cloudwatch_agent.sh
if [ ! -f "$ours" ]; then
  echo "$parameter: not there"
  exit 0
fi
"$control" -a remove-config -m ec2 -c "ssm:$parameter"
"$control" -a stop -m ec2
# Without any configuration the agent would start with its default one.
if [ -n "$(ls "$home/etc/amazon-cloudwatch-agent.d")" ]; then
  "$control" -a start -m ec2
fi
echo "$parameter: removed"
