# The files of this service's probe on an instance.
home=/opt/resiliency-probe/$service
previous_agent=$home/.previous
configuration=/etc/resiliency-probe/$service.json
new_configuration=/etc/resiliency-probe/.$service.json.new
previous_configuration=/etc/resiliency-probe/.$service.json.previous
unit=/etc/systemd/system/$name.service
new_unit=/etc/systemd/system/.$name.new
previous_unit=/etc/systemd/system/.$name.previous

# One run at a time. The lock is on a directory that always exists, so it leaves no file.
exec 9</etc/systemd/system
flock -w 300 9 || refuse "$name: another run has held the lock for 300 s"
