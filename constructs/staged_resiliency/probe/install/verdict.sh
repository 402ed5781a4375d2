# Step Verdict: verifies the result, and prints one line for summaries.
. ./parameters.sh

result=$(cat "$outcome" 2>/dev/null || true)
rm -f "$outcome"
if [ "$action" = Uninstall ]; then
  echo "$name: ${result:-removed}"
  exit 0
fi
current=$(readlink "/opt/resiliency-probe/$service/current" || true)
[ "$current" = "$agent" ] || refuse "$name: found agent ${current:-none}, expected $agent"
systemctl is-active --quiet "$name.service" || refuse "$name: agent $agent is not active"
status=$(systemctl show --property StatusText --value "$name.service")
case $status in
  waiting:*) refuse "$name: agent $agent is $status" ;;
esac
# The unit is intact, but settings for all services may start another program.
pid=$(systemctl show --property MainPID --value "$name.service")
case $(tr '\0' ' ' <"/proc/$pid/cmdline" || true) in
  *" -I -B /opt/resiliency-probe/$service/current --configuration "*) ;;
  *) refuse "$name: process $pid of the service is not the agent; see systemctl cat $name" ;;
esac
echo "$name: agent $agent active${result:+, $result}"
