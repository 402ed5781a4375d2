# Finds the Python that runs the agent: the distribution's with botocore, or a virtual environment.
system_python=/usr/bin/python3
environment=$home/venv-$pins

as_nobody() {
  setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs "$@"
}

# Tried as the service runs: isolated, and not as root, whose own packages the service can't see.
runs_agent() {
  as_nobody "$1" -I -B -c '
import botocore.session, sys
sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1
}

find_python() {
  for python in "$system_python" "$environment/bin/python"; do
    if [ -x "$python" ] && runs_agent "$python"; then
      return 0
    fi
  done
  return 1
}
