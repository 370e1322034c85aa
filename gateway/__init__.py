"""The one door from outside: Envoy's configuration, its start, certificates and tokens."""
