# What the probe of this service has on an instance.
home=/opt/resiliency-probe/$service
former_agent=$home/.former
configuration=/etc/resiliency-probe/$service.json
new_configuration=/etc/resiliency-probe/.$service.json.new
former_configuration=/etc/resiliency-probe/.$service.json.former
unit=/etc/systemd/system/$name.service
new_unit=/etc/systemd/system/.$name.new
former_unit=/etc/systemd/system/.$name.former

# One run at a time. The lock is on a directory that is always there, so it leaves no file.
exec 9</etc/systemd/system
flock -w 300 9 || refuse "$name: another run has been busy for 300 s"
