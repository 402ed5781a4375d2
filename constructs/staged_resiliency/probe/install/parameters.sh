# The beginning of every step: environment, parameters, and the function that fails the step.
# Systems Manager inserts parameters as text. They are inserted where no shell interprets them, and
# validated again, as another program enforces the document's patterns.
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

# Systems Manager's console shows the first 400 bytes or so that a failed step writes to standard
# error, and nothing of a step that succeeds. So the reason alone goes there.
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
