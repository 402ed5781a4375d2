# Step Agent: installs agent, configuration and service, all or nothing; or uninstalls them.
. ./parameters.sh
. ./paths.sh
# Where systemctl edit and set-property write settings that override this unit's.
overrides=
for folder in /etc/systemd/system /run/systemd/system; do
  overrides="$overrides $folder/$name.service.d $folder.control/$name.service.d"
done
if [ "$action" = Uninstall ]; then
  . ./uninstall.sh
fi
# What the run removed is part of the result.
repairs=
removed() {
  repairs="$repairs; removed $1"
  echo "$name: removed $1"
}
. ./interpreter.sh
find_python || refuse "$name: no Python runs the agent; see step Python"

# A directory at a file's path would make every run fail.
for each in "$configuration" "$new_configuration" "$unit" "$new_unit" "$home/current"; do
  if [ -d "$each" ] && [ ! -L "$each" ]; then
    removed "$each, a directory at a file's path"
    rm -rf "$each"
  fi
done

# The agent that ran last. After an interrupted run it is the one that the run had saved, as
# `current` may already point at an agent that never ran.
previous=$(readlink "$home/current" || true)
if [ -e "$previous_unit" ]; then
  previous=$(readlink "$previous_agent" || true)
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
