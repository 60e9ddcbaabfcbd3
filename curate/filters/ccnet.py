"""CCNet's rules on a document alone (Wenzek et al. 2020): paragraphs, and at least 300 characters of them.

What cc_net does to a page, in its order (`process_wet_file.py`, `mine.py`, `dedup.py`, commit bda555b):

1. lines lose the white space at their ends, and blank ones go; the first, the title of a WET record, is set apart;
2. a page of fewer than 300 characters goes (`min_len`). **A short paragraph stays**: no rule looks at its length;
3. paragraphs that any page of the same shards has too go, the first occurrence with the others, and so do further ones
   within the page. Two are equal where the first 64 bits of their sha1 are, after `normalize_for_dedup`: white space at
   the ends gone, lower case, every digit 0, and 34 listed marks of punctuation beyond ASCII and the control characters
   gone; ASCII's punctuation and accents stay. A page that loses all goes;
4. the language with a score of at least 0.5, on what is left;
5. perplexity by a model of Wikipedia in that language: head, middle and tail.

This stage is 1 and 2. Step 3 is `passage_dedup`, 4 is `language_id`, 5 is `perplexity`, or `fitted_score` and `select`
where there are no models yet. Refuses to judge null text.
"""

from __future__ import annotations

import pyarrow as pa

from curate.filters.bounds import within
from curate.kernels.paragraphs import SIGNALS, paragraphs
from curate.stage import Limit, Modified, Modifier


class CCNet(Modifier):
    """Keep pages of at least 300 characters in paragraphs; text becomes its stripped lines, without blank ones.

    cc_net also ends a line at a carriage return; here one within a line stays.
    """

    writes = ("text",)

    min_char_count: int | None = 300  # mine.py Config.min_len: before duplicate paragraphs go
    min_paragraph_count: int | None = None  # cc_net has no such bound
    drop_first_paragraph: bool = (
        False  # process_wet_file.py parse_doc: true for WET records, whose first line is a title
    )

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The paragraphs, joined by one newline, and signals of type `SIGNALS`."""
        text, signals = paragraphs(batch.column("text"), drop_first=self.drop_first_paragraph)
        return Modified({"text": text}, signals)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("char_count", low=self.min_char_count),
            *within("paragraph_count", low=self.min_paragraph_count),
        )
