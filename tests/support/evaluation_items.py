"""Items of an evaluation set that nobody published, and text that has nothing to do with them."""

from __future__ import annotations

PADDING = "It rained all night over the small harbour town, and nobody went out before the bells had rung twice. "
#: Forty words.
LONG = (
    "A farmer near Lisbon sells nineteen crates of ripe lemons each morning and doubles his price whenever the "
    "old ferry arrives late. How many crates remain with him after seven ferries if it rains on the eighth day?"
)
#: Ten words.
SHORT = "Which painter of Delft finished only thirty six known works?"
TINY = "Who painted this?"
ANSWER = "Twenty one crates remain because the buyers from Porto took all others on the sixth day already."
PASSAGE = (
    "The lemon trade of the estuary was carried by small ferries, whose keepers bought whole crates in the morning "
    "and sold them again in Porto before the evening, for which no price was ever written down."
)
CHINESE = "某农民每天早晨卖出十九箱成熟的柠檬，每当旧渡船晚到时价格就翻倍，请问七班渡船之后还剩多少箱？"
