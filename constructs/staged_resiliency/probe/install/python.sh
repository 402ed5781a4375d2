# Step Python: installs botocore, from the distribution where possible, else with pip.
. ./parameters.sh

if [ "$action" = Uninstall ]; then
  echo 'nothing to install'
  exit 0
fi
. ./paths.sh
. ./interpreter.sh
if find_python; then
  echo "$python runs the agent; nothing to install"
  exit 0
fi

# Runs a command with long output, whose last line is the reason where it fails.
logged() {
  logged_status=0
  said=$("$@" 2>&1) || logged_status=$?
  printf '%s\n' "$said"
  reason=$(printf '%s\n' "$said" | tail -n 1 | cut -c 1-150)
  return "$logged_status"
}

apt() {
  logged env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -qq -y \
    --no-install-recommends -o DPkg::Lock::Timeout=400 -o Dpkg::Use-Pty=0 "$@"
}

# The lock timeout above does not apply to the package lists, which another update may be writing.
apt_update() {
  for pause in 10 20 40 60 0; do
    if apt update; then
      return 0
    fi
    sleep "$pause"
  done
  echo "$name: apt-get update failed five times: $reason" >&2
  return 1
}

# Both install a package; they fail if the distribution does not have it, or if it conflicts with
# an installed one: https://github.com/amazonlinux/amazon-linux-2023/issues/704
from_apt() {
  apt-cache show "$1" >/dev/null 2>&1 || apt_update || return 1
  apt-cache show "$1" >/dev/null 2>&1 || return 1
  apt install "$1" || { apt_update && apt install "$1"; } || not_installed "$1"
}
from_dnf() {
  logged dnf -q makecache || not_installed "$1" || return 1
  dnf -q list "$1" >/dev/null 2>&1 || return 1
  logged dnf -q -y install "$1" || not_installed "$1"
}
not_installed() {
  echo "$name: $1 of the distribution could not be installed: $reason" >&2
  return 1
}

if command -v apt-get >/dev/null; then
  from=from_apt
else
  from=from_dnf
fi
if "$from" python3-boto3 && find_python; then
  echo "$python runs the agent, with python3-boto3 of the distribution"
  exit 0
fi

"$system_python" -I -c 'import sys; sys.exit(sys.version_info < (3, 9))' ||
  refuse "$name: $system_python is not Python 3.9 or newer"
"$system_python" -I -c 'import ensurepip' 2>/dev/null || "$from" python3-venv ||
  refuse "$name: $system_python cannot create virtual environments"

new=$home/.new-venv
tidy() {
  rm -rf "$new"
  rmdir "$home" "${home%/*}" 2>/dev/null || true
}
trap tidy EXIT
rm -rf "$new"
mkdir -p "$home"
"$system_python" -I -m venv "$new"
cat >"$new/requirements.txt" <<'END_OF_REQUIREMENTS'
@requirements.txt
END_OF_REQUIREMENTS
logged "$new/bin/python" -I -m pip install --quiet --no-cache-dir --no-input \
  --disable-pip-version-check --require-hashes --only-binary :all: -r "$new/requirements.txt" ||
  refuse "$name: pip could not install the pinned packages: $reason"
if [ -e "$environment" ]; then # broken, as it can't run the agent
  : >"$home/.restart"
  rm -rf "$environment"
fi
mv -T "$new" "$environment"
find_python || refuse "$name: $environment/bin/python cannot run the agent"
echo "$python runs the agent, with pinned packages from PyPI"
