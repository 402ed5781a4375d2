# Step Platform: fails on platforms that are not listed, before anything is changed.
. ./parameters.sh

if [ "$action" = Uninstall ]; then
  echo 'not checked to uninstall'
  exit 0
fi
added=$(cat <<'END_OF_PLATFORMS'
{{ Platforms }}
END_OF_PLATFORMS
)
case $added in
  *[!a-z0-9._,-]*) refuse "$name: Platforms is not a list such as almalinux-9,sles-15.6" ;;
esac
# ID and VERSION_ID of /etc/os-release; a version includes its minor ones.
supported=amzn-2023,debian-12,debian-13,ubuntu-22.04,ubuntu-24.04,ubuntu-26.04
supported=$supported,rhel-9,rhel-10,rocky-9,rocky-10${added:+,$added}
system='no /etc/os-release'
shown=$system
if [ -r /etc/os-release ]; then
  system=$(. /etc/os-release && echo "${ID-}-${VERSION_ID-}")
  shown=$(. /etc/os-release && echo "${PRETTY_NAME-} ($system)")
fi
is_supported() {
  for each in $(echo "$supported" | tr , ' '); do
    case $system in
      "$each" | "$each".*) return 0 ;;
    esac
  done
  return 1
}
is_supported || refuse "$name: found $shown; supported: $supported"
[ -d /run/systemd/system ] || refuse "$name: found $shown without a running systemd"
echo "$shown"
