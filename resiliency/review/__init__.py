"""Review of a change: what it does to clients, alarms, permissions, hosts and cost."""
