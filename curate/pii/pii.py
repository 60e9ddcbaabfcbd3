"""Replace personal data that has a form of its own by typed placeholders such as `<EMAIL_ADDRESS>`.

E-mail, phone, IP, payment card, IBAN, Chinese resident identity number and Chinese mobile number, decided by pattern
recognisers of Presidio (checksums and numbering plans) on windows that a linear search finds. What it does not do:
names and postal addresses (they need a model), vanity phone numbers, `name at host dot org`. It cannot tell the version
4.3.2.1 from an address. Values are nowhere kept: signals hold places and kinds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa
from pydantic import Field, field_validator

from curate.pii.spans import ENTITIES, Span, in_original, replace, resolve
from curate.pii.windows import OVERLAP
from curate.stage import Limit, Modified, Modifier, at_most

_SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("entity", pa.string())])
#: Replacing can lay open what an overlapping hit had covered: look again until nothing is left, but not for ever.
_MAX_ROUNDS = 8
#: Characters that no pattern takes up, so that a placeholder never becomes part of the next hit.
_FENCES = "<>«»⟨⟩【】"


class Redacted(NamedTuple):
    """A text with placeholders."""

    text: str
    spans: list[Span]  # in characters of the text before, ordered by start, not overlapping
    unchecked_chars: int  # where no phone number was looked for


class Pii(Modifier):
    """Personal data out, placeholders in. Applied to its own output it changes nothing.

    Signals: `<kind>_count` for every kind, `pii_count` (their sum), `chars_replaced` (of the original text),
    `unchecked_chars` (where no phone number was looked for: tables of numbers, and what had numbers in it beyond the
    first `max_phone_chars`) and `spans`: start, end and entity in
    characters of the original text. All null where the text is null, and for kinds that are not looked for.
    """

    writes = ("text",)

    entities: tuple[str, ...] = ENTITIES
    phone_regions: tuple[str, ...] = ("US", "GB", "DE", "FR", "CN")  # our choice; a region costs 1/5 of the phone time
    placeholder: str = "<{entity}>"  # Presidio's anonymizer default
    keep_private_ips: bool = True  # datatrove: only_remove_public_ips
    min_score: float = Field(0.4, gt=0, le=1)  # Presidio's score for a phone number without context
    max_pii_count: int | None = Field(None, ge=0)  # Dolma drops a document with more than 5
    max_phone_chars: int = Field(200_000, ge=0)  # our choice: dense dates cost phonenumbers 80 s/MB, so 16 s at most
    max_window_chars: int = Field(2048, gt=2 * OVERLAP)  # our choice: some patterns are quadratic in a window

    @field_validator("entities")
    @classmethod
    def _known_entities(cls, entities: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(entities) - set(ENTITIES))
        if unknown or not entities:
            raise ValueError(f"entities are chosen from {', '.join(ENTITIES)}; got {', '.join(unknown) or 'none'}")
        return tuple(entity for entity in ENTITIES if entity in entities)

    @field_validator("phone_regions")
    @classmethod
    def _known_regions(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        import phonenumbers

        unknown = sorted(set(regions) - phonenumbers.SUPPORTED_REGIONS)
        if unknown or not regions:
            raise ValueError(f"phone_regions are ISO 3166 codes such as US, GB, CN; got {', '.join(unknown) or 'none'}")
        return regions

    @field_validator("placeholder")
    @classmethod
    def _inert_placeholder(cls, placeholder: str) -> str:
        try:
            shown = placeholder.format(entity="X")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"placeholder may hold {{entity}} and no other field; got {placeholder!r}") from error
        inert = not any(c.isdigit() or c in "@:\n" for c in shown)
        if not inert or (shown and (shown[0] not in _FENCES or shown[-1] not in _FENCES)):
            raise ValueError(
                f"placeholder starts and ends with one of {_FENCES} and holds no digit, @, : or line break, "
                f"so that it cannot become part of another hit; got {placeholder!r}"
            )
        return placeholder

    @property
    def signals(self) -> pa.StructType:
        """Counts per kind, sums, and the list of spans."""
        counts = [(_count_name(entity), pa.int32()) for entity in ENTITIES]
        sums = [(name, pa.int32()) for name in ("pii_count", "chars_replaced", "unchecked_chars")]
        return pa.struct([*counts, *sums, ("spans", pa.list_(_SPAN))])

    @property
    def limits(self) -> tuple[Limit, ...]:
        """None by default."""
        return () if self.max_pii_count is None else (at_most("pii_count", self.max_pii_count),)

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The texts with placeholders, and what was replaced."""
        texts: list[str | None] = []
        signals: list[dict[str, Any] | None] = []
        for text in batch["text"].to_pylist():
            done = None if text is None else self.redact(text)
            texts.append(done and done.text)
            signals.append(done and self._signals_of(done))
        return Modified({"text": pa.array(texts, pa.string())}, pa.array(signals, self.signals))

    def redact(self, text: str) -> Redacted:
        """One text with placeholders, and what was replaced.

        >>> Pii().redact("mail a.b@example.com").text
        'mail <EMAIL_ADDRESS>'
        """
        from curate.pii.analyzer import Bounds, engine, find  # Presidio imports spaCy: seconds, only workers need it

        analyzer = engine(self.entities, self.phone_regions, self.keep_private_ips)
        bounds = Bounds(self.max_window_chars, self.max_phone_chars)
        found = find(analyzer, text, self.min_score, bounds)
        spans = resolve(found.spans)
        replaced = replace(text, spans, self.placeholder)
        for _ in range(_MAX_ROUNDS if spans else 0):
            later = resolve(find(analyzer, replaced, self.min_score, bounds).spans)
            if not later:
                break
            spans = in_original(later, spans, self.placeholder)
            replaced = replace(text, spans, self.placeholder)
        return Redacted(replaced, spans, found.unchecked_chars)

    def _signals_of(self, done: Redacted) -> dict[str, Any]:
        row: dict[str, Any] = {_count_name(entity): 0 for entity in self.entities}
        for span in done.spans:
            row[_count_name(span.entity)] += 1
        row["pii_count"] = len(done.spans)
        row["chars_replaced"] = sum(span.end - span.start for span in done.spans)
        row["unchecked_chars"] = done.unchecked_chars
        row["spans"] = [{"start": span.start, "end": span.end, "entity": span.entity} for span in done.spans]
        return row


def _count_name(entity: str) -> str:
    return f"{entity.lower()}_count"
