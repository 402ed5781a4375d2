# The configuration, looked at by the agent that is to read it.
mkdir -p "${configuration%/*}"
if ! base64 -d >"$new_configuration" <<'END_OF_CONFIGURATION'; then
{{ Configuration }}
END_OF_CONFIGURATION
  refuse "$name: Configuration is not base64; nothing was changed"
fi
[ -s "$new_configuration" ] || refuse "$name: Configuration is empty; nothing was changed"
as_nobody "$python" -I -B "$home/$agent" --configuration "$new_configuration" --check-config ||
  refuse "$name: the configuration was refused; nothing was changed"
