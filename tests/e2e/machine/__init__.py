"""A machine to install things on: Debian with a real systemd, in a container that boots.

What a test needs, one module each:

* ``rootfs``: the root file system, made once and kept
* ``container``: boots it, runs commands in it, reboots it, leaves nothing behind
* ``network``: a network of several containers, apart from this machine's own
* ``faults``: ports that fall silent
* ``metadata_service``: the instance metadata service, with session tokens
* ``cloudwatch``: CloudWatch behind a gate that records requests and can be shut
* ``systems_manager``: runs a Command document as the Systems Manager agent would

Nothing outlives the test process, however it ends: networks and mounts are namespaces that only
open files hold, and children die with their parent.
"""
