# What every step begins with: where it runs, for which service, and how it refuses.
# Systems Manager pastes the parameters as text. They are pasted where no shell reads them, and
# looked at again: the patterns of the document are another program's promise.
set -eu
umask 022
cd /
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
@versions

action=$(cat <<'END_OF_ACTION'
{{ Action }}
END_OF_ACTION
)
service=$(cat <<'END_OF_SERVICE'
{{ Service }}
END_OF_SERVICE
)

refuse() {
  printf '%s\n' "$*" >&2
  exit 1
}

case $action in
  Install | Uninstall) ;;
  *) refuse 'Action is neither Install nor Uninstall' ;;
esac
case $service in
  '' | [!a-z]* | *[!a-z0-9-]* | *- | *--*)
    refuse 'Service is not lower-case letters, digits and single hyphens' ;;
esac
[ ${#service} -le 40 ] || refuse 'Service is longer than 40 characters'

name=resiliency-probe-$service
outcome=/run/$name.outcome
