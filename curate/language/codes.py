"""Language codes: from a model's label to ISO 639-1 where a language has such a code, else ISO 639-3.

Labels are lid.176's (Wikipedia codes) or those of another model: `__label__eng_Latn`, `__label__eng`, `__label__en`.
A code that only a part of a language has (cmn, arb, swh) becomes the code of the whole (zh, ar, sw), as CLDR has it.
"""

from __future__ import annotations

UNDECIDED = "und"  # ISO 639-2: undetermined

#: The labels of lid.176 (fasttext.cc/docs/en/language-identification.html), as the model itself lists them.
_LID176 = """
    af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de
    diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie
    ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr
    mrj ms mt mwl my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah
    sc scn sco sd sh si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu
    xal xmf yi yo yue zh
"""
LID176_LABELS = frozenset(_LID176.split())

#: Where lid.176's code means something else in ISO 639-3: its `als` is Alemannic, ISO's is Tosk Albanian.
_LID176_TO_ISO = {"als": "gsw"}

#: Chinese is one language here (our choice): the written forms share one script, which is what decides for Chinese, and
#: mixtures treat them as one.
_CHINESE = frozenset({"zh", "wuu", "yue", "cmn", "lzh", "gan", "hak", "nan", "zho", "chi"})

#: ISO 639-3 and 639-2 codes with an ISO 639-1 equivalent, after CLDR's language aliases.
_ISO_639_1 = """
    aar:aa abk:ab adp:dz afr:af aka:ak alb:sq als:sq amh:am ara:ar arb:ar arg:an arm:hy asm:as ava:av ave:ae aym:ay
    ayr:ay aze:az azj:az bak:ba bam:bm baq:eu bel:be ben:bn bis:bi bod:bo bos:bs bre:br bul:bg bur:my cat:ca ces:cs
    cha:ch che:ce chi:zh chu:cu chv:cv cls:sa cmn:zh cor:kw cos:co cre:cr cwd:cr cym:cy cze:cs dan:da deu:de div:dv
    drh:mn dut:nl dzo:dz ekk:et ell:el eng:en epo:eo esk:ik est:et eus:eu ewe:ee fao:fo fas:fa fat:ak fij:fj fin:fi
    fra:fr fre:fr fry:fy fuc:ff ful:ff gaz:om geo:ka ger:de gla:gd gle:ga glg:gl glv:gv gre:el grn:gn gug:gn guj:gu
    hat:ht hau:ha heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig ice:is ido:io iii:ii ike:iu iku:iu ile:ie
    ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khk:mn khm:km kik:ki
    kin:rw kir:ky kmr:ku knc:kr kng:kg kom:kv kon:kg kor:ko kpv:kv kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln
    lit:lt ltz:lb lub:lu lug:lg lvs:lv mac:mk mah:mh mal:ml mao:mi mar:mr may:ms mkd:mk mlg:mg mlt:mt mol:ro mon:mn
    mri:mi msa:ms mya:my nau:na nav:nv nbl:nr nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no npi:ne nya:ny oci:oc
    ojg:oj oji:oj ori:or orm:om ory:or oss:os pan:pa pbu:ps per:fa pes:fa pli:pi plt:mg pol:pl por:pt prp:gu pus:ps
    que:qu quz:qu roh:rm ron:ro rum:ro run:rn rus:ru sag:sg san:sa scc:sr scr:hr sin:si slk:sk slo:sk slv:sl sme:se
    smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq src:sc srd:sc srp:sr ssw:ss sun:su swa:sw swe:sv swh:sw tah:ty
    tam:ta tat:tt tel:te tgk:tg tha:th tib:bo tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr twi:ak uig:ug ukr:uk urd:ur
    uzb:uz uzn:uz ven:ve vie:vi vol:vo wel:cy wln:wa wol:wo xho:xh ydd:yi yid:yi yor:yo zha:za zho:zh zsm:ms zul:zu
    zyb:za
"""
_TO_ISO_639_1 = {pair[:3]: pair[4:] for pair in _ISO_639_1.split()}


def known_languages() -> frozenset[str]:
    """What lid.176 can answer, in the codes of the `language` column; "und" is one of them."""
    return frozenset(language_code(label, lid176=True) for label in LID176_LABELS) | {UNDECIDED}


def language_code(label: str, *, lid176: bool = False) -> str:
    """The code of a model's label.

    lid176: the label is lid.176's own, where some codes are not ISO's.

    >>> [language_code(label) for label in ("__label__eng_Latn", "cmn_Hani", "__label__de", "arb", "ceb")]
    ['en', 'zh', 'de', 'ar', 'ceb']
    """
    code = label.removeprefix("__label__").replace("-", "_").partition("_")[0].lower()
    if lid176:
        code = _LID176_TO_ISO.get(code, code)
    if code in _CHINESE:
        return "zh"
    return _TO_ISO_639_1.get(code, code) or UNDECIDED
