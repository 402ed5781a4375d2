# Removes all files of this service.
state=/var/lib/private/$name
result='was not installed'
for path in "$unit" "$home" "$configuration" "$state"; do
  if [ -e "$path" ]; then
    result=removed
  fi
done
systemctl disable --quiet --now "$name.service" 2>/dev/null || true
systemctl stop "$name.service" 2>/dev/null || true # a service without a unit file
! systemctl is-active --quiet "$name.service" || refuse "$name: the service does not stop"
rm -rf "$home" "$state" "/var/lib/$name"
for each in $overrides; do
  rm -rf "$each"
done
rm -rf "$unit" "$new_unit" "$previous_unit" \
  "/etc/systemd/system/multi-user.target.wants/$name.service" \
  "$configuration" "$new_configuration" "$previous_configuration"
rmdir "${home%/*}" "${configuration%/*}" 2>/dev/null || true
systemctl daemon-reload || true # where systemd is not running
systemctl reset-failed "$name.service" 2>/dev/null || true
echo "$result" >"$outcome"
echo "$name: $result"
echo 'python3-boto3 is kept if it is installed, as other programs may use it'
exit 0
