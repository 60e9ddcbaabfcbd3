"""How well a model predicts held-out documents, beside what a model without context could do.

What is counted. The evaluated text is whole documents from the start of the split, so its bytes are exactly the sum of
their `num_bytes`. Every token of them is a target once: an EOS is put in front of the first, as in training, where a
document always follows one. Contexts are consecutive windows of seq_len that do not overlap, so the first tokens of a
window are predicted from little; the loss is an upper bound of what a sliding window would give.

- `loss`: mean nats per token over all targets, EOS among them: the quantity that training minimises.
- `bits_per_byte`: nats of the documents' own tokens / (ln 2 · UTF-8 bytes of their text). The EOS that ends a document
  is left out on both sides: it stands for no byte. The unit is the text's, so it compares across tokenizers.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from curate.errors import InputError
from training_bridge.model import Decoder
from training_bridge.shards import Documents, TokenShards, TokenStream

Nats = npt.NDArray[np.float64]

#: Training tokens that the unigram distribution is counted over, from the start of the split.
MAX_UNIGRAM_TOKENS = 1 << 28
_CHUNK = 1 << 22


class HeldOut(NamedTuple):
    """Whole documents of a split, ready to be evaluated."""

    tokens: npt.NDArray[np.int64]  # documents end to end, each with its EOS
    documents: Documents
    is_eos: npt.NDArray[np.bool_]  # by position: the last token of each document

    def summarise(self, nats: Nats) -> dict[str, float | None]:
        """`loss` and `bits_per_byte` of nats per token, float64[tokens]; the latter is null where the text is empty."""
        return _summary(nats, self.is_eos, int(self.documents.num_bytes.sum()))

    def by_source(self, nats: Nats) -> dict[str, dict[str, float | None]]:
        """The same for the documents of each source."""
        names = np.array(self.documents.sources, dtype=object)
        result = {}
        for source in sorted(set(self.documents.sources)):
            chosen = names == source
            mask = np.repeat(chosen, self.documents.num_tokens)
            size = int(self.documents.num_bytes[chosen].sum())
            result[source] = _summary(nats[mask], self.is_eos[mask], size) | {
                "num_documents": int(chosen.sum()),
                "num_tokens": int(mask.sum()),
                "num_bytes": size,
            }
        return result


def held_out(shards: TokenShards, split: str, max_tokens: int) -> HeldOut:
    """The first documents of a split that together have at most `max_tokens` tokens, but one at least.

    InputError where the split is empty, an id is outside the vocabulary, or a document does not end with EOS.
    """
    documents = shards.documents(split)
    if not documents.sources:
        raise InputError(
            f"{shards.folder}: split {split!r} has 0 documents, evaluation needs 1 at least. Curate more text, or give "
            f"the split a larger share."
        )
    ends = np.cumsum(documents.num_tokens)
    count = max(1, int(np.searchsorted(ends, max_tokens, side="right")))
    chosen = Documents(documents.sources[:count], documents.num_tokens[:count], documents.num_bytes[:count])
    tokens = shards.stream(split).read(0, int(ends[count - 1]))
    is_eos = np.zeros(len(tokens), bool)
    is_eos[ends[:count] - 1] = True
    if tokens.max() >= shards.vocab_size or (tokens[is_eos] != shards.eos_id).any():
        raise InputError(
            f"{shards.folder}: split {split!r} has ids outside the vocabulary of {shards.vocab_size:,}, or documents "
            f"that do not end with EOS id {shards.eos_id}. Write the shards again."
        )
    return HeldOut(tokens, chosen, is_eos)


@torch.no_grad()
def token_nats(
    model: Decoder,
    tokens: npt.NDArray[np.int64],
    eos_id: int,
    *,
    batch_tokens: int = 2048,
    autocast: AbstractContextManager[Any] | None = None,
) -> Nats:
    """-ln p of each token given those before it in its window: float64[len(tokens)]."""
    length, device = model.config.seq_len, model.embedding.weight.device
    num_windows = -(-len(tokens) // length)
    padded = np.full(num_windows * length + 1, eos_id, np.int64)
    padded[1 : len(tokens) + 1] = tokens
    inputs = torch.from_numpy(padded[:-1].reshape(num_windows, length))
    targets = torch.from_numpy(padded[1:].reshape(num_windows, length))
    pieces = []
    rows = max(1, batch_tokens // length)
    was_training = model.training
    model.eval()
    with autocast or nullcontext():
        for first in range(0, num_windows, rows):
            logits = model(inputs[first : first + rows].to(device)).float()
            wanted = targets[first : first + rows].to(device).flatten()
            pieces.append(functional.cross_entropy(logits.flatten(0, 1), wanted, reduction="none").cpu())
    model.train(was_training)
    return torch.cat(pieces).double().numpy()[: len(tokens)]


def unigram_counts(stream: TokenStream, vocab_size: int) -> npt.NDArray[np.int64]:
    """How often each id occurs in the first `MAX_UNIGRAM_TOKENS` tokens: int64[vocab_size].

    InputError on an id outside the vocabulary.
    """
    counts = np.zeros(vocab_size, np.int64)
    total = min(len(stream), MAX_UNIGRAM_TOKENS)
    for start in range(0, total, _CHUNK):
        found = np.bincount(stream.read(start, min(start + _CHUNK, total)), minlength=vocab_size)
        if len(found) > vocab_size:
            raise InputError(f"{stream.paths[0].parent}: id {len(found) - 1} in a vocabulary of {vocab_size:,}")
        counts += found
    return counts


def unigram(held: HeldOut, train_counts: npt.NDArray[np.int64]) -> dict[str, float | None]:
    """What models without context reach on the same tokens, by the same accounting.

    `unigram_*` is the training split's distribution with add-one smoothing; `own_unigram_*` the held-out tokens' own,
    whose loss is their entropy: no unigram model whatever is below it, so a model that is has learned from context.
    """
    smoothed = (train_counts + 1) / (train_counts.sum() + len(train_counts))
    own = np.bincount(held.tokens, minlength=len(train_counts)) / len(held.tokens)
    result = {}
    for name, distribution in (("unigram", smoothed), ("own_unigram", own)):
        for key, value in held.summarise(-np.log(distribution[held.tokens])).items():
            result[f"{name}_{key}"] = value
    return result


def _summary(nats: Nats, is_eos: npt.NDArray[np.bool_], num_bytes: int) -> dict[str, float | None]:
    bits = float(nats[~is_eos].sum()) / math.log(2)
    return {"loss": float(nats.mean()), "bits_per_byte": bits / num_bytes if num_bytes else None}
