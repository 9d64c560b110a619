"""The pure reading of a tree of units."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.organisation.rules import below, chain, children_of

IDS = [UUID(int=i) for i in range(8)]
HQ, REGION, GATE, TEAM, OTHER = IDS[:5]
LINKS = [(REGION, HQ), (GATE, REGION), (TEAM, GATE), (OTHER, HQ)]


def test_below_holds_the_unit_and_everything_under_it() -> None:
    children = children_of(LINKS)
    assert below(REGION, children) == {REGION, GATE, TEAM}
    assert below(HQ, children) == {HQ, REGION, GATE, TEAM, OTHER}
    assert below(TEAM, children) == {TEAM}


def test_chain_leads_to_the_root() -> None:
    assert chain(TEAM, dict(LINKS)) == [TEAM, GATE, REGION, HQ]
    assert chain(HQ, dict(LINKS)) == [HQ]


@given(st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), max_size=12))
def test_even_a_broken_tree_is_read_to_an_end(links: list[tuple[UUID, UUID]]) -> None:
    for unit in IDS:
        assert unit in below(unit, children_of(links))
        line = chain(unit, dict(links))
        assert line[0] == unit
        assert len(set(line)) == len(line)


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(0, 6)), max_size=7, unique_by=lambda link: link[0]))
def test_below_and_chain_agree(pairs: list[tuple[int, int]]) -> None:
    links = [(IDS[a], IDS[b % a]) for a, b in pairs]
    children, parent_of = children_of(links), dict(links)
    for unit in IDS:
        for other in IDS:
            assert (other in below(unit, children)) == (unit in chain(other, parent_of))
