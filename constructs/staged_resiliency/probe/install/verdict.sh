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
# Whatever settings of all services say.
pid=$(systemctl show --property MainPID --value "$name.service")
case $(tr '\0' ' ' <"/proc/$pid/cmdline" || true) in
  *" -I -B /opt/resiliency-probe/$service/current --configuration "*) ;;
  *) refuse "$name: process $pid of the service is not the agent; see systemctl cat $name" ;;
esac
echo "$name: agent $agent active${did:+, $did}"
