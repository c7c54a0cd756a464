"""HTTP: one module a group of routes; nothing below this package knows a request or a status."""
