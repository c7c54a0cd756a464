"""The OpenAPI 3.1 document and its skeletons. Imports `preprocessing`, `inference`, `settings` and `errors`."""
