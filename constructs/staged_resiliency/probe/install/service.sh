# The service. What changes is put back if the agent does not come up with it.
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
# Whether the process that was there is there a moment later.
is_steady() {
  sleep 2
  is_active && [ "$(main_pid)" = "$1" ]
}
point_at() {
  ln -sfn "$1" "$home/.current"
  mv -fT "$home/.current" "$home/current"
}

# Settings laid over the unit are drift like an edit of the unit itself.
for each in $overrides; do
  if [ -e "$each" ]; then
    : >"$home/.restart"
    echo "$name: removed $each, which changed the service: $(cd "$each" && echo *)"
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
if [ "$former" != "$agent" ] || [ "$(cat "$unit" 2>/dev/null)" != "$unit_text" ]; then
  changed=yes
  todo=restart
fi
if [ -e "$home/.restart" ] || ! is_active; then
  todo=restart
fi

# The first agent of all has none to go back to: systemd goes on trying, as after a boot, so that
# it runs as soon as what keeps it from running (the instance's role, its Name tag) is mended.
give_up() {
  echo "$name: agent $agent does not run; its last lines:"
  journalctl --sync || true
  journalctl --unit "$name.service" --since "@$began" --lines 20 --output cat --no-pager || true
  if [ ! -e "$former_unit" ]; then
    rm -f "$home/.restart"
    refuse "$name: agent $agent does not run; systemd goes on trying"
  fi
  mv -f "$former_unit" "$unit"
  [ ! -e "$former_configuration" ] || mv -f "$former_configuration" "$configuration"
  point_at "$former"
  systemctl daemon-reload
  systemctl restart "$name.service" ||
    refuse "$name: agent $agent does not run, and the former one, $former, neither"
  rm -f "$home/.restart" "$former_agent"
  refuse "$name: agent $agent does not run; the former one, $former, is back"
}

if [ "$todo" != nothing ]; then
  : >"$home/.restart" # until all is done: the next run makes good for one that was cut short
  began=$(date +%s)
  printf '%s\n' "$unit_text" >"$new_unit"
  # What a run that was cut short has saved is what ran last.
  if [ ! -e "$former_unit" ] && [ "$changed" = yes ] && [ -n "$former" ] && [ -e "$unit" ]; then
    ln -sfnT "$former" "$former_agent"
    [ ! -e "$configuration" ] || cp -p "$configuration" "$former_configuration"
    ln "$unit" "$former_unit" # last, and whole at once: it says that the rest is there
  fi
  sync
  mv -f "$new_configuration" "$configuration"
  if [ "$todo" = reload ]; then
    pid=$(main_pid)
    systemctl reload "$name.service" || give_up
  else
    mv -f "$new_unit" "$unit"
    point_at "$agent"
    systemctl daemon-reload
    systemctl enable --quiet "$name.service"
    systemctl restart "$name.service" || give_up # returns when the agent says that it runs
    pid=$(main_pid)
  fi
  is_steady "$pid" || give_up
  rm -f "$home/.restart" "$former_unit" "$former_configuration" "$former_agent"
fi
systemctl is-enabled --quiet "$name.service" || systemctl enable --quiet "$name.service"

# The former version stays until the next one comes, for those who want to look at it.
for entry in "$home"/*; do
  case $entry in
    "$home/current" | "$home/$agent" | "$home/$former" | "${python%/bin/*}") ;;
    "$home/venv-"*) rm -rf "$entry" ;;
    *) [ "$former" = "$agent" ] || rm -rf "$entry" ;;
  esac
done

case $todo in
  nothing) did=unchanged ;;
  reload) did='configuration changed' ;;
  *) case $former in
    '') did=installed ;;
    "$agent") did=restarted ;;
    *) did="updated from $former" ;;
  esac ;;
esac
echo "$did" >"$outcome"
echo "$name: $did"
