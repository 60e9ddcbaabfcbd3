"""Kinds, affinity and mass of elements."""

from __future__ import annotations

import numpy as np
import pytest
from seen_pages import NO_LEXICON, Seen, see

from curate.kernels.html_names import name_key
from curate.kernels.page_traits import (
    CHARS,
    KIND_NAMES,
    LEXICON_SIZE,
    NAME_KINDS,
    WORD_KINDS,
    lexicon_place,
    next_word,
)

CLASS, ID = np.uint64(0x51ED270B), np.uint64(0x2545F491)


def words_of(value: str) -> list[int]:
    data, i, found = np.frombuffer(value.encode(), np.uint8), 0, []
    while True:
        key, i = next_word(data, i, data.size)
        if not key:
            return found
        found.append(int(key))


def kinds(seen: Seen, name: str) -> set[str]:
    bits = int(seen.judgement.scratch.traits.chain_kinds[seen.element(name)])
    return {kind for number, kind in enumerate(KIND_NAMES) if bits >> number & 1}


@pytest.mark.parametrize(
    "value", ["post-body", "post_body", "postBody", " post  BODY ", "post1234body", "--post__body--"]
)
def test_words_of_a_class_end_at_marks_numbers_and_changes_of_case(value: str) -> None:
    assert words_of(value) == [name_key("post"), name_key("body")]


def test_a_class_without_letters_has_no_words() -> None:
    assert words_of("12 -- 3") == []


def test_there_is_a_bit_for_each_kind() -> None:
    assert len(KIND_NAMES) == len(set(KIND_NAMES)) == len(NAME_KINDS) + len(WORD_KINDS) + 1 <= 63


def test_kinds_come_from_names_classes_ids_and_roles_and_are_inherited() -> None:
    seen = see('<main id="comments"><div class="sidebar" role="navigation"><p>text</p></div></main>')
    assert kinds(seen, "main") == {"main", "word_comment"}
    assert kinds(seen, "p") == {"main", "word_comment", "word_side", "word_nav", "paragraph"}


def test_classes_of_body_and_html_say_nothing_about_its_parts() -> None:
    assert kinds(see('<html class="modal"><body class="sidebar nav"><p>text</p>'), "p") == {"paragraph"}


@pytest.mark.parametrize("attribute", ["hidden", 'aria-hidden="true"', 'style="color:red; DISPLAY : none"'])
def test_what_says_that_it_is_not_shown_is_marked(attribute: str) -> None:
    assert "not_shown" in kinds(see(f"<div {attribute}><p>text</p></div>"), "p")


def test_what_is_shown_is_not_marked() -> None:
    page = '<div aria-hidden="false" style="display:block"><p>text</p></div>'
    assert "not_shown" not in kinds(see(page), "p")


def test_affinity_is_the_sum_over_words_and_what_is_around_an_element_is_known_to_it() -> None:
    lexicon = NO_LEXICON.copy()
    lexicon[lexicon_place(np.uint64(name_key("story")), CLASS)] = 1.5
    lexicon[lexicon_place(np.uint64(name_key("promo")), ID)] = -2.5
    seen = see('<div class="story big"><section id="promo"><p>text</p></section></div>', lexicon=lexicon)
    traits, paragraph = seen.judgement.scratch.traits, seen.element("p")
    assert traits.affinity[seen.element("div")] == 1.5
    assert traits.affinity[seen.element("section")] == -2.5
    assert traits.affinity[paragraph] == 0
    assert traits.nearest[paragraph] == -2.5
    assert (traits.chain_min[paragraph], traits.chain_max[paragraph], traits.chain_sum[paragraph]) == (-2.5, 1.5, -1)


def test_affinity_is_bounded() -> None:
    lexicon = np.full(LEXICON_SIZE, 3, np.float32)
    seen = see('<div class="a b c d e f"><p>text</p></div>', lexicon=lexicon)
    assert seen.judgement.scratch.traits.affinity[seen.element("div")] == 4


def test_an_element_holds_the_text_of_all_inside() -> None:
    seen = see("<main>one<section><p>three</p><p>seven</p></section></main><footer>end</footer>")
    mass = seen.judgement.scratch.traits.mass[:, CHARS]
    assert [mass[seen.element(name)] for name in ("section", "main", "footer", "#document")] == [10, 13, 3, 16]


def test_elements_of_one_template_have_one_signature() -> None:
    seen = see('<p class="a b">x</p><p class="a b">y</p><p class="a">z</p><h2 class="a b">w</h2>')
    found = [int(seen.judgement.scratch.traits.signature[seen.judgement.blocks.element[b]]) for b in range(4)]
    assert found[0] == found[1]
    assert len({*found}) == 3
