# Step Configure: adds the configuration in the parameter to those of the CloudWatch agent, unless
# the agent runs with it already.
. ./cloudwatch_agent.sh
digest=$(cat <<'END_OF_DIGEST'
{{ Digest }}
END_OF_DIGEST
)

has_it() {
  [ -f "$ours" ] && [ "$(sha256sum <"$ours" | cut -d ' ' -f 1)" = "$digest" ]
}

# The agent gives all metrics the dimensions of any of its configurations. It refuses to merge two
# that differ, but not one that has metrics without any.
for each in "$home/etc/amazon-cloudwatch-agent.json" "$home/etc/amazon-cloudwatch-agent.d/"*; do
  case $each in "$ours" | *.tmp | *.yaml) continue ;; esac
  [ -f "$each" ] || continue
  text=$(tr -d '[:space:]' <"$each")
  case $text in
    *'"append_dimensions":{"InstanceId":"${aws:InstanceId}"}'*) ;;
    *'"metrics":'*)
      refuse "$each has metrics, and not append_dimensions with InstanceId alone: dimensions of" \
        "metrics would change, so nothing was changed" ;;
  esac
done

if has_it && is_running; then
  echo "$parameter: unchanged"
  exit 0
fi
if ! said=$("$control" -a append-config -m ec2 -c "ssm:$parameter" -s 2>&1); then
  rm -f "$ours.tmp"
  printf '%s\n' "$said"
  # What differs is in a line of its own; other lines repeat what was read.
  reason=$(printf '%s\n' "$said" | grep -i 'error' | head -n 2)
  refuse "The agent refused $parameter and keeps what it had:" \
    "${reason:-$(printf '%s\n' "$said" | tail -n 2)}"
fi
has_it || refuse "$parameter does not have the content that was deployed; run this again"
is_running || refuse "$parameter was added, but the agent does not run; see $home/logs"
echo "$parameter: added"
