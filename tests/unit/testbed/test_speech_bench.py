"""How the benchmark of speech compares what was said with what was heard."""

import pytest

from speech_bench.sentences import SENTENCES, errors, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lower the heating to 19 degrees.", "lower the heating to nineteen degrees"),
        ("After 9 o'clock!", "After nine o'clock."),
        ("at six-thirty", "at 6:30"),
        ("twenty-one", "21"),
        ("its programme", "Its program,"),
    ],
)
def test_case_punctuation_and_digits_do_not_count(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("said", "heard", "wrong"),
    [
        ("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b c", "a x b c", 1),
        ("a b c", "a x c", 1), ("a b", "", 2), ("doorbell rang", "door bell rang", 2),
    ],
)  # fmt: skip
def test_errors_are_words_left_out_put_in_or_replaced(said: str, heard: str, wrong: int) -> None:
    assert errors(words(said), words(heard)) == wrong


def test_twenty_different_sentences_are_said() -> None:
    assert len(set(SENTENCES)) == 20
