# Installs the unit and starts the service; restores the previous version if the agent fails.
unit_text=$(sed -e "s|@SERVICE@|$service|g" -e "s|@PYTHON@|$python|g" <<'END_OF_UNIT'
@resiliency-probe.service
END_OF_UNIT
)

is_active() {
  systemctl is-active --quiet "$name.service"
}
main_pid() {
  systemctl show --property MainPID --value "$name.service"
}
# What the agent reports to systemd; it begins with `waiting:` until the agent samples.
agent_status() {
  systemctl show --property StatusText --value "$name.service"
}
# Whether the same process runs a moment later, and samples: for that it must know its host's name.
is_steady() {
  sleep 2
  for _ in $(seq 30); do
    is_active && [ "$(main_pid)" = "$1" ] || return 1
    case $(agent_status) in
      waiting:*) sleep 3 ;;
      *) return 0 ;;
    esac
  done
  return 1
}
point_at() {
  ln -sfn "$1" "$home/.current"
  mv -fT "$home/.current" "$home/current"
}

# Settings that override the unit's are drift, like an edit of the unit.
for each in $overrides; do
  if [ -e "$each" ]; then
    : >"$home/.restart"
    removed "$each, which overrides the unit: $(cd "$each" && echo *)"
    rm -rf "$each"
  fi
done

changed=no
todo=nothing
if [ "$(cat "$configuration" 2>/dev/null)" != "$(cat "$new_configuration")" ] ||
  [ "$(stat -c '%u %a' "$configuration")" != '0 644' ]; then
  changed=yes
  todo=reload
fi
if [ "$previous" != "$agent" ] || [ "$(cat "$unit" 2>/dev/null)" != "$unit_text" ]; then
  changed=yes
  todo=restart
fi
if [ -e "$home/.restart" ] || ! is_active; then
  todo=restart
fi

journal() {
  journalctl --since "@$began" --output cat --no-pager --quiet "$@" || true
}

# Without a previous version the agent keeps trying, so that it runs as soon as its cause of failure
# (the instance's role, its Name tag) is removed.
give_up() {
  reason=
  ! is_active || reason=$(agent_status)
  case $reason in
    waiting:*) ;;
    *)
      journalctl --sync || true
      reason=$(journal --identifier "$name" | tail -n 1)
      echo "$name: agent $agent does not run; its last lines:"
      journal --unit "$name.service" --lines 20
      ;;
  esac
  reason=$(printf '%.200s' "${reason:-it wrote nothing to the journal}")
  if [ ! -e "$previous_unit" ]; then
    rm -f "$home/.restart"
    refuse "$name: agent $agent does not run yet, and keeps trying: $reason"
  fi
  mv -f "$previous_unit" "$unit"
  [ ! -e "$previous_configuration" ] || mv -f "$previous_configuration" "$configuration"
  point_at "$previous"
  systemctl daemon-reload
  systemctl restart "$name.service" ||
    refuse "$name: neither agent $agent nor the previous one, $previous, runs: $reason"
  rm -f "$home/.restart" "$previous_agent"
  refuse "$name: agent $agent does not run; restored the previous one, $previous: $reason"
}

if [ "$todo" != nothing ]; then
  : >"$home/.restart" # until all is done: the run after an interrupted one restarts the service
  began=$(date +%s)
  printf '%s\n' "$unit_text" >"$new_unit"
  # An interrupted run has saved the version that ran last.
  if [ ! -e "$previous_unit" ] && [ "$changed" = yes ] && [ -n "$previous" ] && [ -e "$unit" ]; then
    ln -sfnT "$previous" "$previous_agent"
    [ ! -e "$configuration" ] || cp -p "$configuration" "$previous_configuration"
    ln "$unit" "$previous_unit" # last, and atomically: it marks the saved version as complete
  fi
  sync
  mv -f "$new_configuration" "$configuration"
  if [ "$todo" = reload ]; then
    pid=$(main_pid)
    systemctl reload "$name.service" 2>&1 || give_up
  else
    mv -f "$new_unit" "$unit"
    point_at "$agent"
    systemctl daemon-reload
    systemctl enable --quiet "$name.service"
    systemctl restart "$name.service" 2>&1 || give_up
    pid=$(main_pid)
  fi
  is_steady "$pid" || give_up
  rm -f "$home/.restart" "$previous_unit" "$previous_configuration" "$previous_agent"
fi
systemctl is-enabled --quiet "$name.service" || systemctl enable --quiet "$name.service"

# The previous version is kept until the next update, for inspection.
for entry in "$home"/*; do
  case $entry in
    "$home/current" | "$home/$agent" | "$home/$previous" | "${python%/bin/*}") ;;
    "$home/venv-"*) rm -rf "$entry" ;;
    *) [ "$previous" = "$agent" ] || rm -rf "$entry" ;;
  esac
done

case $todo in
  nothing) result=unchanged ;;
  reload) result='configuration changed' ;;
  *) case $previous in
    '') result=installed ;;
    "$agent") result=restarted ;;
    *) result="updated from $previous" ;;
  esac ;;
esac
result=$result$repairs
echo "$result" >"$outcome"
echo "$name: $result"
