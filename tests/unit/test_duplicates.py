"""What may be one seizure twice: comparing under keys finds what comparing every two would find, and little else."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.seizures.rules.duplicates import Facts, alike, neighbours
from apps.seizures.rules.lines import Measure

MIDNIGHT = dt.datetime(2024, 8, 20, tzinfo=dt.UTC)
AMOUNTS = [
    None,
    Decimal("0.0009"),
    Decimal(90),
    Decimal("90.0001"),
    Decimal(99),
    Decimal(100),
    Decimal(110),
    Decimal(111),
]


def measure(
    substance: str, mass: Decimal | None, volume: Decimal | None, count: int | None, excluded: str
) -> Measure:
    return Measure("1", substance, "powder", mass, volume, count, "tablet", "scale_net", "lab", excluded)


MEASURES = st.builds(
    measure,
    st.sampled_from(["ketamine", "mdma"]),
    st.one_of(st.sampled_from(AMOUNTS), st.decimals(1, 100_000, places=4)),
    st.sampled_from(AMOUNTS),
    st.sampled_from([None, 9, 10, 11, 900, 1000]),
    st.sampled_from(["", "", "struck_out"]),
)
# Hours around a border of days, so that exactly a day apart and just over it both come up.
MOMENTS = st.one_of(
    st.none(),
    st.integers(-60, 60).map(lambda h: MIDNIGHT + dt.timedelta(hours=h)),
    st.sampled_from([0, 1, -1]).map(lambda s: MIDNIGHT + dt.timedelta(days=1, microseconds=s)),
)
FACTS = st.builds(
    Facts,
    numbers=st.frozensets(
        st.tuples(st.sampled_from(["s10", "seal", "passport_no"]), st.sampled_from(["AA11111", "BB22222"])),
        max_size=2,
    ),
    moment=MOMENTS,
    place=st.sampled_from(["", "Kho số 2", "KHO SO 2", "Ga T2"]),
    units=st.frozensets(st.sampled_from(["NBA", "CPN", "BHN"]), max_size=2),
    lines=st.lists(MEASURES, max_size=3).map(tuple),
)


@given(st.lists(FACTS, max_size=12))
def test_under_keys_is_found_what_comparing_every_two_finds(several: list[Facts]) -> None:
    pairs = list(neighbours(several))
    assert len(set(pairs)) == len(pairs)
    every = itertools.combinations(range(len(several)), 2)
    wanted = {(i, j) for i, j in every if alike(several[i], several[j])}
    assert {(i, j) for i, j in pairs if alike(several[i], several[j])} == wanted


@given(amount=st.decimals(min_value="0.0001", max_value=10**9, places=4), is_later=st.booleans())
def test_amounts_at_the_very_edge_of_the_tolerance_meet(amount: Decimal, *, is_later: bool) -> None:
    moment = MIDNIGHT + dt.timedelta(days=is_later)
    one, other = (
        Facts(frozenset(), at, "", frozenset({"NBA"}), (measure("mdma", mass, None, None, ""),))
        for at, mass in ((MIDNIGHT, amount), (moment, amount * 9 / 10))
    )
    assert alike(one, other) == ["circumstances"]
    assert list(neighbours([one, other])) == [(0, 1)]


def test_what_has_nothing_in_common_is_not_compared() -> None:
    several = [
        Facts(
            frozenset({("courier_no", f"1Z{i:08}")}),
            MIDNIGHT + dt.timedelta(hours=i),
            f"Kho {i % 7}",
            frozenset({f"U{i % 40}"}),
            (measure(("ketamine", "mdma", "heroin")[i % 3], Decimal(100 + i * 37 % 5000), None, None, ""),),
        )
        for i in range(3000)
    ]
    assert sum(1 for _ in neighbours(several)) < 3 * len(several)


def one(minutes: int, grams: str) -> Facts:
    """Give a find at a gate, so long after midnight, of so much."""
    found = measure("ketamine", Decimal(grams), None, None, "")
    return Facts(frozenset(), MIDNIGHT + dt.timedelta(minutes=minutes), "Kho", frozenset({"NBA"}), (found,))


@pytest.mark.parametrize(
    ("minutes", "grams", "is_alike"),
    [
        (24 * 60, "100", True),
        (24 * 60 + 1, "100", False),
        (0, "90", True),
        (0, "89.9999", False),
        (0, "111.1111", True),
        (0, "111.2", False),
    ],
)
def test_a_day_and_a_tenth_are_the_limits(minutes: int, grams: str, is_alike: bool) -> None:
    """Dictionary 6.3: 24 hours and 10 %, to the minute and the gram."""
    assert bool(alike(one(0, "100"), one(minutes, grams))) == is_alike
