# Writes the new configuration beside the current one, and lets the new agent check it.
mkdir -p "${configuration%/*}"
if ! base64 -d >"$new_configuration" <<'END_OF_CONFIGURATION'; then
{{ Configuration }}
END_OF_CONFIGURATION
  refuse "$name: Configuration is not base64; nothing was changed"
fi
# Compressed where it would be too long for a parameter.
if [ "$(head -c 3 "$new_configuration" | tr -d '\0')" = BZh ]; then
  "$python" -I -c '
import bz2, pathlib, sys
file = pathlib.Path(sys.argv[1])
file.write_bytes(bz2.decompress(file.read_bytes()))
' "$new_configuration" || refuse "$name: Configuration is not compressed data; nothing was changed"
fi
[ -s "$new_configuration" ] || refuse "$name: Configuration is empty; nothing was changed"
said=$(as_nobody "$python" -I -B "$home/$agent" --configuration "$new_configuration" \
  --check-config 2>&1) || refuse "$name: nothing was changed, as the configuration is invalid: $said"
echo "$said"
