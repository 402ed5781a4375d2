# Step Agent: the agent, its configuration and its service, all of it or nothing; or removes it.
. ./parameters.sh
. ./paths.sh
# Where systemctl edit and set-property lay settings over this unit alone.
overrides=
for folder in /etc/systemd/system /run/systemd/system; do
  overrides="$overrides $folder/$name.service.d $folder.control/$name.service.d"
done
if [ "$action" = Uninstall ]; then
  . ./uninstall.sh
fi
. ./interpreter.sh
find_python || refuse "$name: no Python runs the agent; see step Python"

# A directory in a file's place would stop every run until somebody removes it.
for each in "$configuration" "$new_configuration" "$unit" "$new_unit" "$home/current"; do
  if [ -d "$each" ] && [ ! -L "$each" ]; then
    echo "$name: removed $each, a directory in a file's place"
    rm -rf "$each"
  fi
done

# What ran last. After a run that was cut short that is what the run had saved: `current` may
# already point at an agent that never ran.
former=$(readlink "$home/current" || true)
if [ -e "$former_unit" ]; then
  former=$(readlink "$former_agent" || true)
fi
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
