"""Prices and times from their letters, eight letters to a 64-bit word: one operation works on all eight.

The first letter is the lowest byte. Words hold digits as their values (``letter - '0'``), so a byte of 10 or
more is a letter that was no digit.
"""

from __future__ import annotations

import calendar
from datetime import date

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints

__all__ = ["MOST_DIGITS", "Words", "are_digits", "number_of", "prices_of", "times_of"]

Words = npt.NDArray[np.uint64]
MOST_DIGITS = 15  # so many over a power of ten are divided as `float` reads them (Clinger 1990)
POWERS = 10.0 ** np.arange(MOST_DIGITS + 1)
EPOCH = date(1970, 1, 1).toordinal()
DAY_S = 86400
BYTE, PAIR, FOUR = np.uint64(8), np.uint64(16), np.uint64(32)  # shifts by one, two and four letters
TEN, HUNDRED, MYRIAD = np.uint64(10), np.uint64(100), np.uint64(10_000)
TOP = np.uint64(0x8080808080808080)
PAST_9 = np.uint64(0x7676767676767676)  # lifts 10 and more into the top bit of its byte
PAIRS, FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
LOWEST = np.uint64(0xFF)
CLOCK_PARTS = np.uint64(0x00FF0000FF0000FF)  # hours, minutes and seconds, at bits 0, 24 and 48
PAST_CLOCK = np.uint64(
    (128 - 24) + ((128 - 60) << 24) + ((128 - 60) << 48)
)  # lifts 24 h, 60 min, 60 s to the top
MINUTES = np.uint64((60 << 24) + 1)  # brings 60 for each minute to the seconds
HOUR_S = np.uint64(3600)


def are_digits(words: Words) -> bool:
    """Whether every byte is below 10.

    A byte whose sum would run over into the next has its own top bit set, and is seen by that.
    """
    return not int(np.bitwise_or.reduce((words + PAST_9) | words) & TOP)


def number_of(digits: Words) -> Ints:
    """Return the number that eight digits are: neighbours are joined to pairs, fours, and all eight."""
    pairs = (digits * TEN + (digits >> BYTE)) & PAIRS
    fours = (pairs * HUNDRED + (pairs >> PAIR)) & FOURS
    number: Ints = ((fours * MYRIAD + (fours >> FOUR)) & np.uint64(0xFFFFFFFF)).view(np.int64)
    return number


def prices_of(digits: list[Words], decimals: Ints) -> Floats | None:
    """Return prices, read exactly as `float` reads them; ``None`` if a letter is no digit.

    Parameters
    ----------
    digits
        The last eight digits of each price and, where there are more than eight, those before them.
    decimals
        How many of them stand after the dot, one entry for all or an entry a price.
    """
    if not all(are_digits(words) for words in digits):
        return None
    whole = number_of(digits[0])
    if len(digits) > 1:
        whole += number_of(digits[1]) * 10**8
    price: Floats = whole / POWERS[decimals]
    return price


def times_of(month: Words, day: Words, clock: Words) -> Ints | None:
    """Return seconds since 1970; ``None`` where a date or a time of day does not exist.

    Parameters
    ----------
    month
        The letters of ``2021-05-``, as they are.
    day
        The digits of ``31`` in the two lowest bytes, 0 above.
    clock
        The digits of ``01:21:47``, 0 for the colons.
    """
    begins, lasts = months_of(month)
    if not len(begins) or not are_digits(day) or not are_digits(clock):
        return None
    parts = (clock * TEN + (clock >> BYTE)) & CLOCK_PARTS
    days = (day * TEN + (day >> BYTE) & LOWEST).view(np.int64)
    if int(np.bitwise_or.reduce(parts + PAST_CLOCK) & TOP):
        return None
    if int(days.min()) < 1 or bool((days > lasts).any()):
        return None
    of_hour = (parts * MINUTES) >> np.uint64(48)
    hours = parts & LOWEST
    time_s: Ints = days * DAY_S
    time_s += begins
    time_s += (hours * HOUR_S + of_hour).view(np.int64)
    return time_s


def months_of(words: Words) -> tuple[Ints, Ints]:
    """Return the second before each record's month by a day, and the month's days; empty if one is none.

    Records of one month stand together, as history is sorted: each such run is read once.
    """
    starts = np.append(0, np.flatnonzero(words[1:] != words[:-1]) + 1)
    runs = words[starts].tolist()
    known = {word: month_of(word.to_bytes(8, "little")) for word in set(runs)}
    found = [known[word] for word in runs]
    if None in found:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    lengths = np.diff(np.append(starts, len(words)))
    begins, lasts = np.array(found, dtype=np.int64).T
    return begins.repeat(lengths), lasts.repeat(lengths)


def month_of(letters: bytes) -> tuple[int, int] | None:
    """Return the second a day before a month of letters like ``2021-05-``, and its days."""
    if not (letters[:4].isdigit() and letters[5:7].isdigit()):
        return None
    year, month = int(letters[:4]), int(letters[5:7])
    if year < 1 or not 1 <= month <= 12:
        return None
    return (date(year, month, 1).toordinal() - 1 - EPOCH) * DAY_S, calendar.monthrange(year, month)[1]
