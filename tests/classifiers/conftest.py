"""A small model that trains in milliseconds, and labelled texts that it learns well but not perfectly."""

from __future__ import annotations

import json

import pytest
from spam_messages import spam_rows

from curate import registry


@pytest.fixture
def word_odds(monkeypatch):
    """`word_odds` among the models and stages."""
    monkeypatch.setitem(registry.MODELS, "word_odds", registry.Entry("word_odds:WordOddsTrainer", "words counted"))
    monkeypatch.setitem(registry.STAGES, "word_odds", registry.Entry("word_odds:WordOdds", "words counted"))


@pytest.fixture
def messages(tmp_path):
    """A JSON lines file of 600 messages."""
    path = tmp_path / "messages.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in spam_rows(600)))
    return path
