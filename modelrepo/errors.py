"""The errors of bundles and repositories; all derive from RepositoryError."""

_MAX_FIELD = 300  # characters of a path in a document that a sentence has


class RepositoryError(Exception):
    """Anything that stops a bundle from being read or written."""


class InvalidMetadata(RepositoryError):
    """A field of `metadata.json` is missing or has a value that the contract does not allow."""

    def __init__(self, field: str, problem: str) -> None:
        field = field if len(field) <= _MAX_FIELD else field[:_MAX_FIELD] + "…"
        super().__init__(f"metadata.json: {field}: {problem}")
        self.field = field
        self.problem = problem


class InvalidPolicy(RepositoryError):
    """`serving.json` cannot be followed."""


class CorruptBundle(RepositoryError):
    """The files of a bundle are not those that its metadata names."""


class BundleNotFound(RepositoryError):
    """The repository has no such model or version."""


class VersionExists(RepositoryError):
    """A published version is never overwritten."""
