from corpus_fixtures import context, documents  # noqa: F401  # fixtures
