# Step Verdict: one line that fits in any summary.
. ./parameters.sh

did=$(cat "$outcome" 2>/dev/null || true)
rm -f "$outcome"
if [ "$action" = Uninstall ]; then
  echo "$name: ${did:-removed}"
  exit 0
fi
current=$(readlink "/opt/resiliency-probe/$service/current" || true)
[ "$current" = "$agent" ] || refuse "$name: agent ${current:-none} where $agent should be"
systemctl is-active --quiet "$name.service" || refuse "$name: agent $agent is not active"
echo "$name: agent $agent active${did:+, $did}"
