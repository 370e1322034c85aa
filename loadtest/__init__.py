"""Load on a running mesh: scenarios of many callers, and an open loop that tells true latencies."""
