"""The OpenAPI 3.1 document and its skeletons. Imports `inference`, `settings` and `errors`."""
