"""Windows of tokens for training: a memory-mapped PyTorch dataset over token shards.

Documents are packed end to end (concatenate and cut, as GPT-3 and nanoGPT do): attention may look over an EOS into the
document before. Window i holds tokens [i·L, i·L + L], L + 1 of them: it shares one token with the next, so each token
but the very first of the split is a target exactly once in an epoch. What is left out is the tail,
(num_tokens - 1) mod L tokens.

Sample k is a pure function of (seed, k): epoch k // num_windows, and within it a keyed permutation of that epoch's
own. So the step number is all that a resumed run needs, and any worker or process can compute any sample.
"""

from __future__ import annotations

import torch
from torch.utils.data import Dataset

from curate.errors import InputError
from training_bridge.permutation import Permutation
from training_bridge.shards import TokenShards


class TokenWindows(Dataset[torch.Tensor]):
    """`num_samples` windows of a split, each int64[seq_len + 1]: inputs are `[:-1]`, targets `[1:]`.

    `num_samples` may be less or more than an epoch (default: one epoch). With `shuffle=False` sample k is window
    k mod num_windows. InputError where the split has fewer than seq_len + 1 tokens.
    """

    def __init__(
        self,
        shards: TokenShards,
        split: str,
        seq_len: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        num_samples: int | None = None,
    ) -> None:
        if seq_len < 1:
            raise ValueError(f"seq_len is {seq_len}")
        self.stream = shards.stream(split)
        self.seq_len = seq_len
        self.seed = seed
        self.shuffle = shuffle
        self.num_windows = max(len(self.stream) - 1, 0) // seq_len
        if not self.num_windows:
            raise InputError(
                f"{shards.folder}: split {split!r} has {len(self.stream):,} tokens, one window of seq_len {seq_len:,} "
                f"needs {seq_len + 1:,}. Curate more text or lower seq_len."
            )
        self.num_samples = self.num_windows if num_samples is None else num_samples
        self._order: tuple[int, Permutation] | None = None

    def __len__(self) -> int:
        return self.num_samples

    def __getitem__(self, index: int) -> torch.Tensor:
        if not 0 <= index < self.num_samples:
            raise IndexError(f"sample {index} of {self.num_samples}")
        start = self.window(index) * self.seq_len
        return torch.from_numpy(self.stream.read(start, start + self.seq_len + 1))

    def window(self, index: int) -> int:
        """Which window sample `index` is: 0..num_windows - 1."""
        epoch, position = divmod(index, self.num_windows)
        if not self.shuffle:
            return position
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, Permutation(self.num_windows, f"windows\0{self.seed}\0{epoch}"))
        return self._order[1][position]
