"""Continue a text with a trained model: what it writes shows what it was fed.

Each token is computed from the last `seq_len` tokens anew, without a cache: simple, and quick enough at this size.
"""

from __future__ import annotations

from pathlib import Path

from curate.errors import InputError
from training_bridge.extra import train_extra

with train_extra():
    import torch
    from tokenizers import Tokenizer

    from training_bridge import checkpoint
    from training_bridge.model import Decoder

MAX_NEW_TOKENS = 10_000  # our choice: a bound on time, not on what a model could do


def load_model(folder: str | Path) -> tuple[Decoder, Tokenizer]:
    """Model and tokenizer of a checkpoint folder, a `model/` folder or a run's folder. InputError where broken."""
    folder = Path(folder)
    if not (folder / "config.json").exists() and (folder / "model" / "config.json").exists():
        folder = folder / "model"
    model = checkpoint.read_model(folder)
    try:
        tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no tokenizer: {error}") from error
    except Exception as error:  # tokenizers raises bare Exception for a file that it cannot parse
        raise InputError(f"{folder}/tokenizer.json cannot be read: {error}") from error
    return model, tokenizer


def generate(
    model: Decoder,
    prompt: list[int],
    max_new_tokens: int,
    *,
    temperature: float = 0.8,
    top_k: int | None = 50,
    seed: int = 0,
    eos_id: int | None = None,
) -> list[int]:
    """New token ids after `prompt`, at most `max_new_tokens`, ended by `eos_id` (which is not returned).

    Temperature 0 takes the likeliest token each time. `top_k` keeps the k likeliest (Fan et al. 2018); null keeps all.
    The same arguments on the same machine give the same ids. ValueError for an empty prompt or a bound that is off.
    """
    if not prompt or not 0 <= max_new_tokens <= MAX_NEW_TOKENS or temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError(
            f"want a prompt, 0 <= max_new_tokens <= {MAX_NEW_TOKENS}, temperature >= 0 and top_k >= 1; got "
            f"{len(prompt)} ids, {max_new_tokens}, {temperature}, {top_k}"
        )
    generator = torch.Generator().manual_seed(seed)
    ids = list(prompt)
    for _ in range(max_new_tokens):
        chosen = _next(model, ids[-model.config.seq_len :], temperature, top_k, generator)
        if chosen == eos_id:
            break
        ids.append(chosen)
    return ids[len(prompt) :]


def sample(
    folder: str | Path,
    prompt: str = "",
    max_new_tokens: int = 100,
    *,
    temperature: float = 0.8,
    top_k: int | None = 50,
    seed: int = 0,
    eos_token: str | None = None,
) -> str:
    """The prompt's continuation as text. With an empty prompt, or to stop at its end, a document needs `eos_token`.

    InputError where the tokenizer has no such token, or the prompt is empty and no `eos_token` is given.
    """
    model, tokenizer = load_model(folder)
    eos_id = None if eos_token is None else tokenizer.token_to_id(eos_token)
    if eos_token is not None and eos_id is None:
        raise InputError(f"the tokenizer of {folder} has no token {eos_token!r}")
    # In training a document follows an EOS: so does a prompt.
    ids = ([] if eos_id is None else [eos_id]) + tokenizer.encode(prompt, add_special_tokens=False).ids
    if not ids:
        raise InputError("an empty prompt needs eos_token, after which a document begins")
    new = generate(model, ids, max_new_tokens, temperature=temperature, top_k=top_k, seed=seed, eos_id=eos_id)
    text: str = tokenizer.decode(new)
    return text


@torch.no_grad()
def _next(model: Decoder, context: list[int], temperature: float, top_k: int | None, generator: torch.Generator) -> int:
    device = model.embedding.weight.device
    logits = model(torch.tensor([context], device=device))[0, -1].float().cpu()
    if temperature == 0:
        return int(logits.argmax())
    if top_k is not None and top_k < len(logits):
        logits[logits < logits.topk(top_k).values[-1]] = -torch.inf
    return int(torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator))
