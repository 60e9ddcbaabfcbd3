"""Settings of the token shards."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Tokens(BaseModel):
    """How the curated corpus becomes token shards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: A shard's target; it is over or under by a part of that, see `curate.tokens.write`. 10**8: modded-nanogpt.
    shard_tokens: int = Field(default=100_000_000, ge=1)
    #: Share of each source's tokens held out, by whole documents and at least this much. 0.01: our choice; enough for a
    #: bound on the validation loss from 100 M tokens up. 0 holds nothing out.
    validation_frac: float = Field(default=0.01, ge=0, lt=1)
    #: The control token put after each document. "<|endoftext|>": GPT-2, and what `tokenizer_training` gives.
    eos_token: str = Field(default="<|endoftext|>", min_length=1)
