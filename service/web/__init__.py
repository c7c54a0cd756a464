"""Flask: routes, middleware, the fast path, errors, keys. May import every room below it, and not `server`."""
