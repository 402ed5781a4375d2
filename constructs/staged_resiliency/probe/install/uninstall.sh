# Leaves nothing of this service behind.
state=/var/lib/private/$name
did='was not installed'
for path in "$unit" "$home" "$configuration" "$state"; do
  if [ -e "$path" ]; then
    did=removed
  fi
done
systemctl disable --quiet --now "$name.service" 2>/dev/null || true
systemctl stop "$name.service" 2>/dev/null || true # one whose unit file somebody removed
! systemctl is-active --quiet "$name.service" || refuse "$name: the service does not stop"
rm -rf "$home" "$state" "/var/lib/$name"
for each in $overrides; do
  rm -rf "$each"
done
rm -rf "$unit" "$new_unit" "$former_unit" \
  "/etc/systemd/system/multi-user.target.wants/$name.service" \
  "$configuration" "$new_configuration" "$former_configuration"
rmdir "${home%/*}" "${configuration%/*}" 2>/dev/null || true
systemctl daemon-reload || true # where systemd is not running
systemctl reset-failed "$name.service" 2>/dev/null || true
echo "$did" >"$outcome"
echo "$name: $did"
echo 'python3-boto3 stays if it is there, as it may serve others'
exit 0
