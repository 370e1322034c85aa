"""`envoy-config-lint`: finds what is missing or dangerous in any Envoy v3 bootstrap."""
