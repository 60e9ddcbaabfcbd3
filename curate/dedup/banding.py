"""How many bands of how many rows: which similarity makes two documents candidates (Leskovec, Rajaraman, Ullman, 3.4).

Two sets of Jaccard similarity s share a band of r rows with probability s**r, and one of b bands with probability
1 - (1 - s**r)**b, the S-curve. More bands find more pairs that are wanted and more that are not; more rows the
opposite. It says what is proposed; what is removed is decided by the true similarity of what was proposed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curate.errors import RecipeError

#: Points of an integral at most. With n of them it is exact up to degree 2n - 1, which is that of 511 hashes; beyond,
#: the curve is smooth enough for the same points.
_MAX_POINTS = 256
_PLOT_WIDTH, _PLOT_HEIGHT = 64, 11  # characters: seven for each tenth; with axis and margin it is 73 wide


class Banding(NamedTuple):
    """A signature of `num_bands` * `rows_per_band` hashes, cut into bands."""

    num_bands: int
    rows_per_band: int

    @property
    def num_hashes(self) -> int:
        """Hashes that are used."""
        return self.num_bands * self.rows_per_band

    @property
    def even_odds(self) -> float:
        """The Jaccard similarity at which half of the pairs are found.

        >>> round(Banding(14, 8).even_odds, 3)
        0.685
        """
        return float((1 - 0.5 ** (1 / self.num_bands)) ** (1 / self.rows_per_band))


def candidate_probability(jaccard: float, num_bands: int, rows_per_band: int) -> float:
    """The S-curve: how likely two sets of this similarity share a band, 1 - (1 - J**rows)**bands.

    >>> [round(candidate_probability(j, 14, 8), 3) for j in (0.5, 0.7, 0.75, 0.8, 0.9)]
    [0.053, 0.565, 0.772, 0.924, 1.0]
    """
    return float(1 - (1 - jaccard**rows_per_band) ** num_bands)


def s_curve(banding: Banding, similarities: ArrayLike) -> NDArray[np.float64]:
    """`candidate_probability` of each Jaccard similarity in [0, 1]: float64, of the same shape."""
    rows = np.asarray(similarities, np.float64) ** banding.rows_per_band
    return np.asarray(1 - (1 - rows) ** banding.num_bands, np.float64)


def optimal_banding(
    threshold: float, num_hashes: int, false_positive_weight: float = 0.5, false_negative_weight: float = 0.5
) -> Banding:
    """The bands, out of `num_hashes` hashes at most, that are wrong least often about which pairs reach a threshold.

    Wrong means: the area under the S-curve below the threshold, times its weight, and the area over it above, times its
    weight, as if all similarities were equally frequent. Equal weights are datasketch's default, and so is the result
    (datasketch 2.0.0, `MinHashLSH`), except that we choose where it sees no difference: areas of less than 1e-16, met
    where false positives weigh nothing. The curve is a polynomial, so a Gauss-Legendre sum is its integral and nothing
    has to be approximated. Raises RecipeError where there is nothing to choose from.

    >>> optimal_banding(0.8, 128)
    Banding(num_bands=9, rows_per_band=13)
    """
    _check(threshold, num_hashes, (false_positive_weight, false_negative_weight))
    points, shares = np.polynomial.legendre.leggauss(min(num_hashes // 2 + 1, _MAX_POINTS))
    best, least = Banding(1, 1), np.inf
    for num_bands in range(1, num_hashes + 1):
        rows = np.arange(1, num_hashes // num_bands + 1)[:, None]
        below = (1 - (1 - (threshold * (points + 1) / 2) ** rows) ** num_bands) @ shares
        above = (1 - (threshold + (1 - threshold) * (points + 1) / 2) ** rows) ** num_bands @ shares
        errors = false_positive_weight * threshold / 2 * below + false_negative_weight * (1 - threshold) / 2 * above
        chosen = int(errors.argmin())
        if errors[chosen] < least:
            best, least = Banding(num_bands, chosen + 1), float(errors[chosen])
    return best


def _check(threshold: float, num_hashes: int, weights: tuple[float, float]) -> None:
    if not 0 <= threshold <= 1:
        raise RecipeError(f"a Jaccard threshold lies between 0 and 1, and this one is {threshold}")
    if num_hashes < 1:
        raise RecipeError(f"bands are made of 1 hash at least, and here there are {num_hashes}")
    if min(weights) < 0 or max(weights) <= 0:
        raise RecipeError(f"weights of errors are 0 or more, and one of them is more; these are {weights}")


def s_curve_text(banding: Banding, threshold: float) -> str:
    """The S-curve as a table and a plot for a terminal of 80 columns, with the threshold marked. Lines end in "\\n"."""
    similarities = np.linspace(0.1, 1.0, 10)
    found = s_curve(banding, similarities)
    at_threshold = float(s_curve(banding, threshold))
    lines = [
        f"{banding.num_bands} bands of {banding.rows_per_band} rows, {banding.num_hashes} hashes. "
        f"Half of the pairs are found at Jaccard {banding.even_odds:.3f},",
        f"{at_threshold:.1%} of those at the threshold {threshold:g}.",
        "",
        "Jaccard      " + "".join(f"{s:6.1f}" for s in similarities),
        "P(candidate) " + "".join(f"{_probability(p):>6}" for p in found),
        "",
        *_plot(banding, threshold),
    ]
    return "".join(f"{line}\n" for line in lines)


def _probability(p: float) -> str:
    """Three decimals. What is not certain does not read as if it were.

    >>> [_probability(p) for p in (0.0, 1e-7, 0.25, 0.9996, 1.0)]
    ['0.000', '<.001', '0.250', '>.999', '1.000']
    """
    if 0 < p < 0.0005:
        return "<.001"
    return ">.999" if 0.9995 <= p < 1 else f"{p:.3f}"


def _plot(banding: Banding, threshold: float) -> list[str]:
    """The curve from 0.1 to 1.0 on its axes; a column of bars where the threshold lies, if it lies there."""
    grid = [[" "] * _PLOT_WIDTH for _ in range(_PLOT_HEIGHT)]
    mark = round((threshold - 0.1) / 0.9 * (_PLOT_WIDTH - 1))
    if 0 <= mark < _PLOT_WIDTH:
        for row in grid:
            row[mark] = "|"
    heights = s_curve(banding, np.linspace(0.1, 1.0, _PLOT_WIDTH)) * (_PLOT_HEIGHT - 1)
    for column, height in enumerate(heights):
        grid[_PLOT_HEIGHT - 1 - round(float(height))][column] = "*"
    lines = [f"{1 - i / (_PLOT_HEIGHT - 1):6.1f} |{''.join(row)}".rstrip() for i, row in enumerate(grid)]
    step = (_PLOT_WIDTH - 1) // 9
    ticks = "".join(f"{tenth / 10:<{step}.1f}" for tenth in range(1, 11)).rstrip()
    return [*lines, " " * 7 + "+" + "-" * _PLOT_WIDTH, " " * 7 + ticks]
