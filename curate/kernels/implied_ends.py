"""Which open elements a start tag or an end tag of HTML closes.

Source: the HTML standard, "Tree construction": the rules of "in body", "in table", "in cell", "in select". Formatting
elements are not built again behind the block that ended them.
"""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import (
    CELL,
    CLOSES_P,
    ENDS_KIN,
    FLAGS,
    HEADING,
    IN_HEAD,
    NUMBER,
    ROWS,
    SCOPE,
    SPECIAL,
    TABLE_PART,
)
from curate.kernels.open_elements import close_down_to, forget, move_out, open_name
from curate.kernels.page_arrays import DEPTH, IN_FORM, SEEN_BODY, SEEN_HEAD, Page
from curate.kernels.utf8 import Bool, Int

_HTML, _HEAD, _BODY, _P, _LI, _DD, _DT = (NUMBER[name] for name in "html head body p li dd dt".split())
_A, _NOBR, _BUTTON, _SELECT, _INPUT = (NUMBER[name] for name in "a nobr button select input".split())
_TABLE, _TR, _TD, _TH, _COL, _COLGROUP = (NUMBER[name] for name in "table tr td th col colgroup".split())
_TBODY, _THEAD, _TFOOT, _TEMPLATE = (NUMBER[name] for name in "tbody thead tfoot template".split())
_ADDRESS, _DIV, _FORM, _UL, _OL, _TEXTAREA = (NUMBER[name] for name in "address div form ul ol textarea".split())
_OPTION, _OPTGROUP, _RT, _RP, _RB, _RTC = (NUMBER[name] for name in "option optgroup rt rp rb rtc".split())


@borrowing
def counts_for_nothing(page: Page, name: Int) -> Bool:
    """Whether a start tag is none: a second body, a form inside a form, a part of a table outside of one."""
    place = page.place
    if name in (_HTML, _BODY, _HEAD):
        return bool(place[SEEN_BODY] or page.num_open[name] or (name == _HEAD and place[SEEN_HEAD]))
    if page.num_open[_TEMPLATE]:
        return False
    return bool(place[IN_FORM] if name == _FORM else page.num_open[_TABLE] == 0)


@borrowing
def imply_ends(page: Page, name: Int, at: Int) -> None:
    """Close what a start tag closes."""
    num_open = page.num_open
    flags = FLAGS[name]
    if num_open[_HEAD] and not flags & IN_HEAD and _innermost(page) == _HEAD:
        _close_innermost(page, at)
    if flags & CLOSES_P and num_open[_P]:
        close_p(page, at)
    if flags & HEADING and FLAGS[_innermost(page)] & HEADING:
        _close_innermost(page, at)
    if flags & (ROWS | CELL | TABLE_PART):
        if num_open[_TABLE]:
            _close_in_table(page, name, at)
    elif flags & ENDS_KIN:
        _close_kin(page, name, at)


@borrowing
def _close_kin(page: Page, name: Int, at: Int) -> None:
    """Close what stands beside a new element of its kind, never around it."""
    place, num_open = page.place, page.num_open
    if name == _LI and num_open[_LI]:
        _close_item(page, _LI, _LI, at)
    elif name in (_DD, _DT) and (num_open[_DD] or num_open[_DT]):
        _close_item(page, _DD, _DT, at)
    elif name in (_A, _NOBR) and num_open[name]:
        end_formatting(page, name, at)
    elif name in (_OPTION, _OPTGROUP):
        if _innermost(page) == _OPTION:
            _close_innermost(page, at)
        if name == _OPTGROUP and _innermost(page) == _OPTGROUP:
            _close_innermost(page, at)
    elif name == _BUTTON and num_open[_BUTTON]:
        close_nearest(page, _BUTTON, SCOPE, at)
    elif name in (_SELECT, _INPUT, _TEXTAREA) and num_open[_SELECT]:
        close_nearest(page, _SELECT, SCOPE, at)
    elif name in (_RT, _RP, _RB, _RTC) and _innermost(page) in (_RT, _RP, _RB):
        _close_innermost(page, at)
    elif name == _HEAD:
        place[SEEN_HEAD] = 1
    elif name == _BODY:
        place[SEEN_BODY] = 1
        if num_open[_HEAD]:
            close_nearest(page, _HEAD, SCOPE, at)


@borrowing
def _innermost(page: Page) -> Int:
    return open_name(page, page.place[DEPTH] - 1)


@borrowing
def _close_innermost(page: Page, at: Int) -> None:
    close_down_to(page, page.place[DEPTH] - 1, at)


@borrowing
def close_p(page: Page, at: Int) -> Bool:
    """Close the paragraph that is open in button scope; whether there is one."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = open_name(page, position)
        if name == _P:
            close_down_to(page, position, at)
            return True
        if FLAGS[name] & SCOPE or name == _BUTTON:
            return False
    return False


@borrowing
def _close_item(page: Page, one: Int, other: Int, at: Int) -> None:
    """Close the open item of the innermost list."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = open_name(page, position)
        if name in (one, other):
            close_down_to(page, position, at)
            return
        if FLAGS[name] & SPECIAL and name != _ADDRESS and name != _DIV and name != _P:
            return


@borrowing
def _close_in_table(page: Page, name: Int, at: Int) -> None:
    """Close what a part of a table cannot be inside of: all down to the innermost table, its rows or its row."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        around = open_name(page, position)
        if (name == _TABLE and FLAGS[around] & CELL) or around == _TEMPLATE:
            return
        if name == _TABLE and around == _TABLE:  # a table that is in none of its cells ends it
            close_down_to(page, position, at)
            return
        holds = around == _TABLE or (name == _COL and around == _COLGROUP)
        if name in (_TR, _TD, _TH):
            holds = holds or around in (_TBODY, _THEAD, _TFOOT)
        if holds or (around == _TR and (name in (_TD, _TH))):
            close_down_to(page, position + 1, at)
            return


@borrowing
def close_nearest(page: Page, name: Int, barrier: Int, at: Int) -> None:
    """Close the nearest element of this name that no element with the barrier's flag hides."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        around = open_name(page, position)
        if around == name:
            close_down_to(page, position, at)
            return
        if FLAGS[around] & barrier or (name == _LI and (around in (_UL, _OL))):
            return


@borrowing
def end_formatting(page: Page, name: Int, at: Int) -> None:
    """End a formatting element. Blocks inside of it that are still open stay open and come to stand behind it."""
    block = 0
    for position in range(page.place[DEPTH] - 1, 0, -1):
        current = open_name(page, position)
        if current == name:
            if block:
                move_out(page, block, position)
            else:
                close_down_to(page, position, at)
            return
        if FLAGS[current] & SCOPE:
            return
        if FLAGS[current] & SPECIAL:
            block = position


@borrowing
def end_form(page: Page, at: Int) -> None:
    """End a form. What is still open inside of it stays open, and inside of it."""
    page.place[IN_FORM] = 0
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = open_name(page, position)
        if name == _FORM:
            if position == page.place[DEPTH] - 1:
                close_down_to(page, position, at)
            else:
                forget(page, position, position + 1)
            return
        if FLAGS[name] & SCOPE:
            return


@borrowing
def end_unknown(page: Page, key: Int, at: Int) -> None:
    for position in range(page.place[DEPTH] - 1, 0, -1):
        if page.open_keys[position] == key:
            close_down_to(page, position, at)
            return
        if FLAGS[open_name(page, position)] & SPECIAL:
            return


@borrowing
def end_heading(page: Page, at: Int) -> None:
    for position in range(page.place[DEPTH] - 1, 0, -1):
        flags = FLAGS[open_name(page, position)]
        if flags & HEADING:
            close_down_to(page, position, at)
            return
        if flags & SCOPE:
            return


@borrowing
def end_in_table(page: Page, name: Int, at: Int) -> None:
    for position in range(page.place[DEPTH] - 1, 0, -1):
        current = open_name(page, position)
        if current == name:
            close_down_to(page, position, at)
            return
        if current in (_TABLE, _TEMPLATE):
            return
