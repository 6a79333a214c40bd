"""The languages that Whisper understands, and what else clients call them."""

from __future__ import annotations

import re
from collections.abc import Mapping

# As faster-whisper spells them (_LANGUAGE_CODES in its tokenizer.py), with English names and codes
# of other standards that mean the same.
NAMES: Mapping[str, tuple[str, ...]] = {
    "af": ("afrikaans",),
    "am": ("amharic",),
    "ar": ("arabic",),
    "as": ("assamese",),
    "az": ("azerbaijani",),
    "ba": ("bashkir",),
    "be": ("belarusian",),
    "bg": ("bulgarian",),
    "bn": ("bengali",),
    "bo": ("tibetan",),
    "br": ("breton",),
    "bs": ("bosnian",),
    "ca": ("catalan", "valencian"),
    "cs": ("czech",),
    "cy": ("welsh",),
    "da": ("danish",),
    "de": ("german",),
    "el": ("greek",),
    "en": ("english",),
    "es": ("spanish", "castilian"),
    "et": ("estonian",),
    "eu": ("basque",),
    "fa": ("persian", "farsi"),
    "fi": ("finnish",),
    "fo": ("faroese",),  # codespell:ignore fo
    "fr": ("french",),
    "gl": ("galician",),
    "gu": ("gujarati",),
    "ha": ("hausa",),
    "haw": ("hawaiian",),
    "he": ("hebrew", "iw"),
    "hi": ("hindi",),
    "hr": ("croatian",),
    "ht": ("haitian",),
    "hu": ("hungarian",),
    "hy": ("armenian",),
    "id": ("indonesian", "in"),
    "is": ("icelandic",),
    "it": ("italian",),
    "ja": ("japanese",),
    "jw": ("javanese", "jv"),
    "ka": ("georgian",),
    "kk": ("kazakh",),
    "km": ("khmer",),
    "kn": ("kannada",),
    "ko": ("korean",),
    "la": ("latin",),
    "lb": ("luxembourgish",),
    "ln": ("lingala",),
    "lo": ("lao",),
    "lt": ("lithuanian",),
    "lv": ("latvian",),
    "mg": ("malagasy",),
    "mi": ("maori",),
    "mk": ("macedonian",),
    "ml": ("malayalam",),
    "mn": ("mongolian",),
    "mr": ("marathi",),
    "ms": ("malay",),
    "mt": ("maltese",),
    "my": ("burmese", "myanmar"),
    "ne": ("nepali",),
    "nl": ("dutch", "flemish"),
    "nn": ("nynorsk",),
    "no": ("norwegian", "nb"),
    "oc": ("occitan",),
    "pa": ("punjabi", "panjabi"),
    "pl": ("polish",),
    "ps": ("pashto",),
    "pt": ("portuguese",),
    "ro": ("romanian", "moldovan"),
    "ru": ("russian",),
    "sa": ("sanskrit",),
    "sd": ("sindhi",),
    "si": ("sinhala", "sinhalese"),
    "sk": ("slovak",),
    "sl": ("slovenian",),
    "sn": ("shona",),
    "so": ("somali",),
    "sq": ("albanian",),
    "sr": ("serbian",),
    "su": ("sundanese",),
    "sv": ("swedish",),
    "sw": ("swahili",),
    "ta": ("tamil",),
    "te": ("telugu",),  # codespell:ignore te
    "tg": ("tajik",),
    "th": ("thai",),
    "tk": ("turkmen",),
    "tl": ("tagalog", "fil", "filipino"),
    "tr": ("turkish",),
    "tt": ("tatar",),
    "uk": ("ukrainian",),
    "ur": ("urdu",),
    "uz": ("uzbek",),
    "vi": ("vietnamese",),
    "yi": ("yiddish",),
    "yo": ("yoruba",),
    "zh": ("chinese", "mandarin"),
    "yue": ("cantonese",),
}
CANTONESE = "yue"
"""Only the third generation of Whisper has a word for it."""
ANY = ("auto", "automatic", "detect")
"""What clients write where the engine shall find out which language is spoken."""

_CODES = {name: code for code, names in NAMES.items() for name in (code, *names)}


def code_of(written: str) -> str | None:
    """Return the code of a language, also of a name and of one with its country, as in en-US.

    None: it is left open. A language that is not known here comes back as it was written.
    """
    plain = written.strip().lower()
    if plain in ("", *ANY):
        return None
    return _CODES.get(plain) or _CODES.get(re.split("[-_]", plain)[0], written)
