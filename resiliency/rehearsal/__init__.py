"""Runs the failover of a synthesized service on this machine, with real processes.

Everything is read from templates. The probe's agent, the services, the APIs of CloudWatch and SNS,
the DNS server and the client are processes and sockets on loopback. What AWS does internally
(evaluating alarms and health checks, choosing records) is simulated with the failover-time model,
on data read back through the APIs.
"""
