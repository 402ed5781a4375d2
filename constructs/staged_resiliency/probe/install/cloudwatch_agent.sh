set -eu
cd /
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
parameter=$(cat <<'END_OF_PARAMETER'
{{ Parameter }}
END_OF_PARAMETER
)
home=/opt/aws/amazon-cloudwatch-agent
control=$home/bin/amazon-cloudwatch-agent-ctl
# The name that the agent gives to its copy.
ours=$home/etc/amazon-cloudwatch-agent.d/ssm_$parameter

# Systems Manager's console shows what a failed step writes to standard error.
refuse() {
  printf '%s\n' "$*" >&2
  exit 1
}
is_running() {
  systemctl is-active --quiet amazon-cloudwatch-agent.service
}
