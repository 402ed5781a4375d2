# Step Agent: the agent, its configuration and its service, all of it or nothing; or removes it.
. ./parameters.sh
. ./paths.sh
if [ "$action" = Uninstall ]; then
  . ./uninstall.sh
fi
. ./interpreter.sh
find_python || refuse "$name: no Python runs the agent; see step Python"

former=$(readlink "$home/current" || true)
new=$home/.new-$agent

tidy() {
  rm -rf "$new" "$new_configuration" "$new_unit"
  case $(readlink "$home/current" || true) in
    "$agent") ;;
    *) rm -rf "${home:?}/$agent" ;;
  esac
  rmdir "$home" "${home%/*}" "${configuration%/*}" 2>/dev/null || true
}
trap tidy EXIT

. ./sources.sh
. ./configuration.sh
. ./service.sh
