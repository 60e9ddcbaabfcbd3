"""Function words of many languages: what sentences have and menus have not.

Some ten for each language, the most frequent ones, written down by us; one table for all, because the language of a
page is not known before its text is. Of scripts without spaces the characters that are words by themselves.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import key_slots
from curate.kernels.utf8 import Bool, Int

_WORDS = {
    "en": "the of and to in is that it was for on are with as be this have from or by not but they which you we his at",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an wird aus dass",
    "fr": "de la le et les des en un du une que est pour qui dans par sur au pas plus avec se sont ce il ne ou cette",
    "es": "de la que el en y los se del las un por con no una su para es al lo como más pero sus le",
    "it": "di che e la il un a per non in una sono mi si lo è con ha del le dei della nel anche",
    "pt": "de que e o a do da em um para com não uma os no se na por mais as dos como mas ao",
    "nl": "de van een het en in is dat op te zijn met voor niet aan er die maar om ook als bij",
    "pl": "w i na z do się nie to że jest o jak po za od przez co dla są ale czy tym oraz który",
    "cs": "a v se na je že s z do o i k ve pro ale jako za by po jsou které tak",
    "sv": "och i att det som en på är av för med till den har de inte om ett men var",
    "da": "og i at det er en til af på de med for den som ikke har der et var",
    "fi": "ja on ei että se oli hän mutta ovat kun niin joka myös tai mitä ole",
    "hu": "a az és hogy nem is egy van meg ez de csak már mint el azt volt",
    "ro": "de și în a la cu pe nu din se că care o pentru mai este sunt un",
    "tr": "ve bir bu da de için ile çok daha olarak gibi en ne olan kadar ama",
    "id": "yang dan di ini itu dengan untuk dari tidak dalam akan pada juga ke ada adalah",
    "vi": "và của là có trong được cho một không các với người những đã này khi",
    "hr": "je i u se na da za su od s koji ne bi kao što ali",
    "el": "και το του η της να τα που με για την από τον στο των ο οι είναι στην δεν θα σε ότι",
    "ru": "и в не на что с по это как он а к но из его у за от для так все было о при",
    "uk": "і в на що з не до та у за це як від про для є але його",
    "bg": "на и да в е се за от не с че по са като това ще",
    "ar": "في من على أن إلى التي عن مع هذا ما لا كان الذي هذه كل",
    "fa": "و در به از که این را با است برای آن یک می تا",
    "he": "של את על לא זה עם הוא כי גם או אל כל היא",
    "hi": "के का की में है और को से पर कि ने यह एक नहीं हैं",
    "ko": "이 그 수 것 및 등 더 한 할 있는 있다 대한",
}
_CHARACTERS = "的了是在不有和就也这那为我他她们與於及之以而並并而所被把着給给对對从從" + "はがをにのでとも" + "ที่และใน"


def _key(word: str) -> int:
    key = int(SEED)
    for character in word:
        key = ((key ^ ord(character)) * int(FACTOR)) % 2**64
    return key


SEED, FACTOR = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x9FB21C651E98DF25)
_NUM_SLOTS = 4096
_LIST = sorted({word for words in _WORDS.values() for word in words.split()} | set(_CHARACTERS))
_KEYS = np.array([_key(word) for word in _LIST], np.uint64)
_SLOTS = key_slots([_key(word) for word in _LIST], _NUM_SLOTS)


@borrowing
def add_point(key: Int, point: Int) -> Int:
    """The key of a word with one more code point of small letters. The key of no letters is `SEED`."""
    return (key ^ np.uint64(point)) * FACTOR


@borrowing
def is_function_word(key: Int) -> Bool:
    """Whether a word with this key is one."""
    slot = np.int64(key >> np.uint64(40)) & (_NUM_SLOTS - 1)
    while _SLOTS[slot] >= 0:
        if _KEYS[_SLOTS[slot]] == key:
            return True
        slot = (slot + 1) & (_NUM_SLOTS - 1)
    return False
