# Step Platform: fails on platforms where the agent was not tested, before anything is changed.
. ./parameters.sh

if [ "$action" = Uninstall ]; then
  echo 'not checked to uninstall'
  exit 0
fi
supported='Amazon Linux 2023, Ubuntu 22.04, Ubuntu 24.04 and Debian 12, run by systemd'
system='no /etc/os-release'
shown=$system
if [ -r /etc/os-release ]; then
  system=$(. /etc/os-release && echo "${ID-} ${VERSION_ID-}")
  shown=$(. /etc/os-release && echo "${PRETTY_NAME-} (ID=${ID-} VERSION_ID=${VERSION_ID-})")
fi
case $system in
  'amzn 2023' | 'ubuntu 22.04' | 'ubuntu 24.04' | 'debian 12') ;;
  *) refuse "$name: found $shown; supported: $supported" ;;
esac
[ -d /run/systemd/system ] ||
  refuse "$name: found $shown without a running systemd; supported: $supported"
echo "$shown"
