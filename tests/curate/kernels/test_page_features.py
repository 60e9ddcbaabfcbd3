"""The features of text blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen_pages import see

from curate.kernels.page_features import FEATURES, NUM_FEATURES, PAGE_TYPES, PROFILE_AT, TYPES_AT
from curate.kernels.page_judge import judgement_room
from curate.kernels.page_profile import PROFILE

LONG = "This is a sentence of some length, which says a thing or two about what was seen. " * 2
PAGE = f"""<title>The Deep Sea</title><body><nav><ul><li><a href=a>Home</a><li><a href=b>About</a></ul></nav>
<main class="post-body"><h1>The Deep Sea</h1><p>{LONG}</p><p>{LONG} more</p><h2>Fish</h2><p>Short one.</p></main>
<div class="cards"><div class="card"><h3>Card A</h3><p>text a</p></div>
<div class="card"><h3>Card B</h3><p>text b</p></div>
<div class="card"><h3>Card C</h3><p>text c</p></div></div><footer>© 2024 Us</footer>"""
MARKUP = [
    "<p>",
    "</p>",
    "<div class='a b'>",
    "</div>",
    "<li>",
    "<a href=x>",
    "</a>",
    "<h1>",
    "<table><tr><td>",
    "<br>",
    "text ",
    "中文。",
    "&amp;",
]


def test_there_is_a_name_for_each_feature() -> None:
    assert len(set(FEATURES)) == len(FEATURES) == NUM_FEATURES
    assert FEATURES[PROFILE_AT:TYPES_AT] == PROFILE
    assert FEATURES[TYPES_AT:] == tuple(f"type_{name}" for name in PAGE_TYPES)


def test_a_block_knows_where_it_stands() -> None:
    seen = see(PAGE)
    first, last = seen.features("Home"), seen.features("© 2024")
    assert (first["place"], first["place_frac"], first["chars_before_frac"]) == (0, 0, 0)
    assert last["place"] == seen.num_blocks - 1
    assert last["blocks_left"] == 1
    short = seen.features("Short one")
    assert (short["blocks_since_heading"], short["blocks_since_h1"], short["heading_level"]) == (1, 4, 0)
    assert seen.features("Fish")["heading_level"] == 2
    assert seen.features("About")["blocks_since_heading"] == -1
    assert seen.features("About")["blocks_to_long"] == 2


def test_a_block_knows_its_neighbours() -> None:
    found = see(PAGE).features("Short one")
    assert found["before_1_chars"] == pytest.approx(math.log1p(4))  # Fish
    assert found["before_1_same_element_parent"] == 1
    assert found["after_1_chars"] == pytest.approx(math.log1p(6))  # Card A
    assert found["after_1_same_element_parent"] == 0
    assert see(PAGE).features("Home")["before_1_chars"] == -1


def test_windows_are_sums_over_blocks_around() -> None:
    seen = see(PAGE)
    texts = [" ".join(seen.text(block).split()) for block in range(seen.num_blocks)]
    at = seen.block("Short one")
    around = texts[at - 3 : at + 4]
    chars = sum(map(len, around))
    found = seen.features("Short one")
    assert found["window_3_chars"] == pytest.approx(math.log1p(chars))
    assert found["window_3_long_frac"] == pytest.approx(sum(len(text) for text in around if len(text) >= 100) / chars)


def test_containers_grow_until_the_page() -> None:
    found = see(PAGE).features("Short one")
    shares = [found[f"container_{level}_page_frac"] for level in (1, 2, 3, 4)]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert found["container_1_blocks"] == 5  # of <main>
    assert found["container_1_paragraph_frac"] > 0.9


def test_items_of_one_template_know_each_other() -> None:
    found = see(PAGE).features("text b")
    assert found["repeat_inner_siblings"] == 3
    assert found["repeat_inner_place"] == 1
    assert found["repeat_inner_mean_blocks"] == 2
    assert found["template_chain_blocks"] == 3
    assert see(PAGE).features("© 2024")["repeat_inner_siblings"] == -1


def test_two_siblings_are_no_list() -> None:
    assert see("<div class=a>x one</div><div class=a>x two</div>").features("x two")["repeat_inner_siblings"] == -1


def test_a_page_has_the_same_features_in_any_company() -> None:
    room = judgement_room(1 << 16, 1 << 12)
    alone = see(PAGE)
    wanted = alone.judgement.features[: alone.num_blocks].copy()
    for other in ("", "<p>x</p>" * 300, PAGE, "<div class=card>" * 600 + "deep"):
        see(other, room=room)
        seen = see(PAGE, room=room)
        assert np.array_equal(seen.judgement.features[: seen.num_blocks], wanted)


@given(st.lists(st.sampled_from(MARKUP), max_size=40), st.binary(max_size=40))
def test_features_of_any_page_are_numbers(parts: list[str], rest: bytes) -> None:
    seen = see("".join(parts).encode() + rest, "https://a.example/x")
    assert np.isfinite(seen.judgement.features[: seen.num_blocks]).all()


def test_no_kernel_reads_outside_of_its_arrays(bounds_checked) -> None:
    bounds_checked(
        "import random\n"
        "from seen_pages import see\n"
        "from curate.kernels.page_judge import judgement_room\n"
        f"page, markup = {PAGE!r}, {MARKUP!r}\n"
        "room, rng = judgement_room(1 << 16, 1 << 13), random.Random(0)\n"
        "for i in range(300):\n"
        "    parts = rng.choices(markup, k=rng.randrange(200))\n"
        "    data = bytearray(''.join(parts).encode() + page[rng.randrange(len(page)):].encode())\n"
        "    for _ in range(rng.randrange(4)):\n"
        "        data[rng.randrange(len(data))] = rng.randrange(256)\n"
        "    see(bytes(data), rng.choice(['', 'x', 'https://a.example/2024/x?y']), room=room)\n"
        "for page in ('<div class=a>' * 3000 + 'x', '<p>x</p>' * 3000, '<meta name=description content=a>' * 999):\n"
        "    see(page + '<p>end</p>', room=room)\n"
    )
