"""The failover of a synthesized service, run on this machine with real processes.

Everything is read from templates. The probe's agent, the services, CloudWatch's and SNS's API, the
DNS server and the client are processes and sockets on loopback; what AWS does inside (evaluating
alarms, health checks, choosing records) is the failover-time model's, on data read back.
"""
