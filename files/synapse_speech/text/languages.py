"""What differs from language to language: a few words of ours, all others are Unicode's."""

from __future__ import annotations

from dataclasses import dataclass, field

from babel import Locale, UnknownLocaleError

CURRENCIES = {
    "US$": "USD", "A$": "AUD", "C$": "CAD", "R$": "BRL", "$": "USD",
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR",
    "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "zł": "PLN",
    "USD": "USD", "EUR": "EUR", "GBP": "GBP", "CHF": "CHF", "JPY": "JPY",
}  # fmt: skip


@dataclass(frozen=True)
class Words:
    """The words of a language that espeak-ng does not say by itself, or says in the wrong place."""

    dot: str
    slash: str
    at: str
    to: str
    """Between the ends of a range."""
    per: str
    money: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Names that people use: nobody says US dollars; one of it, and many."""


WORDS = {
    "en": Words("dot", "slash", "at", "to", "per", {
        "USD": ("dollar", "dollars"), "GBP": ("pound", "pounds"), "JPY": ("yen", "yen"),
        "INR": ("rupee", "rupees")}),
    "de": Words("Punkt", "Schrägstrich", "at", "bis", "pro", {
        "USD": ("Dollar", "Dollar"), "GBP": ("Pfund", "Pfund"), "JPY": ("Yen", "Yen"),
        "INR": ("Rupie", "Rupien")}),
    "fr": Words("point", "slash", "arobase", "à", "par", {
        "USD": ("dollar", "dollars"), "GBP": ("livre", "livres"), "JPY": ("yen", "yens"),
        "INR": ("roupie", "roupies")}),
    "es": Words("punto", "barra", "arroba", "a", "por", {
        "USD": ("dólar", "dólares"), "GBP": ("libra", "libras"), "JPY": ("yen", "yenes"),
        "INR": ("rupia", "rupias")}),
    "it": Words("punto", "barra", "chiocciola", "a", "al", {
        "USD": ("dollaro", "dollari"), "GBP": ("sterlina", "sterline"), "JPY": ("yen", "yen"),
        "INR": ("rupia", "rupie")}),
    "nl": Words("punt", "schuine streep", "apenstaartje", "tot", "per", {
        "USD": ("dollar", "dollar"), "GBP": ("pond", "pond"), "JPY": ("yen", "yen"),
        "INR": ("roepie", "roepies")}),
}  # fmt: skip


@dataclass(frozen=True)
class Language:
    """The language of a voice."""

    code: str
    """As in en; empty when it is not known."""
    locale: Locale | None
    words: Words | None

    @classmethod
    def of(cls, name: str) -> Language:
        """Return the language of a name such as en-US."""
        code = name.replace("_", "-").partition("-")[0].lower()
        for wanted in (name.replace("_", "-"), code):
            try:
                return cls(code, Locale.parse(wanted, sep="-"), WORDS.get(code))
            except (ValueError, UnknownLocaleError):
                continue
        return cls("", None, None)
