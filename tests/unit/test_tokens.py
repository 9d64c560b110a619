"""Codes, keys, signatures, challenges and derived tokens, without a database."""

from __future__ import annotations

import base64
import re
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.errors import DeviceRevoked, KeyNotUsable, SecondPersonNeeded
from apps.accounts.rules import (
    check_administers,
    check_issues_code,
    check_manages_device,
    check_standing,
    digest,
    enrolment_proof,
    is_fresh_challenge,
    is_signed,
    load_key,
    new_challenge,
    new_code,
    normal_code,
    normal_key,
    successor_tokens,
)
from apps.common.actor import SYSTEM, Actor, Post
from apps.common.errors import NotAllowed
from tests.cast import Key

SECRET = b"k" * 32


def test_codes_are_long_readable_and_different() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){2}", code) for code in codes)


def test_codes_are_read_as_people_type_them() -> None:
    assert normal_code(" o1l-Ia bc") == "0111ABC"
    assert enrolment_proof("ab-cd") == b"enrol|ABCD"


@given(st.text(max_size=300))
def test_reading_a_code_is_stable_and_bounded(typed: str) -> None:
    once = normal_code(typed)
    assert len(once) <= 64
    assert enrolment_proof(typed) == enrolment_proof(typed)
    assert digest(once)


def test_successors_depend_on_secret_token_and_request() -> None:
    base = successor_tokens(SECRET, "refresh", "request")
    assert base == successor_tokens(SECRET, "refresh", "request")
    others = [
        successor_tokens(b"x" * 32, "refresh", "request"),
        successor_tokens(SECRET, "refresh2", "request"),
        successor_tokens(SECRET, "refresh", "request2"),
    ]
    assert len({*base, *(token for pair in others for token in pair)}) == 8
    assert all(len(token) == 43 for token in base)


@given(st.binary(max_size=64))
def test_signatures_in_der_and_as_raw_bytes(message: bytes) -> None:
    der = KEY.sign(message)
    r, s = decode_dss_signature(base64.b64decode(der))
    raw = base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
    assert is_signed(KEY.public, der, message)
    assert is_signed(KEY.public, raw, message)
    assert not is_signed(KEY.public, der, message + b"x")
    assert not is_signed(OTHER.public, raw, message)


@given(
    st.binary(max_size=100) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_rubbish_is_no_signature_and_no_key(rubbish: bytes) -> None:
    for text in (rubbish.decode("latin-1"), base64.b64encode(rubbish).decode()):
        assert not is_signed(KEY.public, text, b"m")
        with pytest.raises(KeyNotUsable):
            load_key(text)


def test_a_key_has_one_spelling() -> None:
    assert normal_key(KEY.public) == KEY.public
    with pytest.raises(KeyNotUsable):
        normal_key(KEY.public + "\n")


def test_challenges_are_ours_fresh_and_for_one_device() -> None:
    challenge = new_challenge(SECRET, "device", 1000)
    assert is_fresh_challenge(SECRET, "device", challenge, 1000)
    assert is_fresh_challenge(SECRET, "device", challenge, 1120)
    assert not is_fresh_challenge(SECRET, "device", challenge, 1121)
    assert not is_fresh_challenge(SECRET, "device", challenge, 999)
    assert not is_fresh_challenge(SECRET, "other", challenge, 1000)
    assert not is_fresh_challenge(b"x" * 32, "device", challenge, 1000)
    assert not is_fresh_challenge(SECRET, "device", challenge.replace("1000.", "1100."), 1100)


@given(st.text(max_size=250))
def test_rubbish_is_no_challenge(text: str) -> None:
    assert not is_fresh_challenge(SECRET, "device", text, 1000)


@pytest.mark.parametrize(
    ("state", "active", "wipe"),
    [
        ("lost", True, True),
        ("wiped", True, True),
        ("unheard-of", True, True),
        ("lost", False, True),
        ("suspended", True, False),
        ("enrolled", False, False),
    ],
)
def test_who_is_shut_out_and_who_wipes(state: str, active: bool, wipe: bool) -> None:
    with pytest.raises(DeviceRevoked) as caught:
        check_standing(state, is_officer_active=active)
    assert caught.value.members["wipe"] is wipe


def test_a_good_standing_passes() -> None:
    check_standing("enrolled", is_officer_active=True)


UNIT, ELSEWHERE, ME, OTHER_ID = (uuid4() for _ in range(4))


def actor(role: str, unit: object = UNIT) -> Actor:
    reach = frozenset({unit})
    return Actor(officer_id=ME, posts=(Post(uuid4(), unit, role, reach),))  # type: ignore[arg-type]  # a unit's id


@pytest.mark.parametrize(
    ("who", "target", "has_device", "refusal"),
    [
        (SYSTEM, OTHER_ID, True, None),
        (actor("administrator", ELSEWHERE), OTHER_ID, True, None),
        (actor("leader"), OTHER_ID, True, None),
        (actor("leader", ELSEWHERE), OTHER_ID, False, NotAllowed),
        (actor("hq_reviewer"), OTHER_ID, False, NotAllowed),
        (actor("officer"), OTHER_ID, False, NotAllowed),
        (actor("officer"), ME, False, None),
        (actor("officer"), ME, True, SecondPersonNeeded),
        (actor("leader"), ME, True, SecondPersonNeeded),
        (actor("administrator"), ME, True, SecondPersonNeeded),
    ],
)
def test_who_may_issue_a_code(
    who: Actor, target: object, has_device: bool, refusal: type[Exception] | None
) -> None:
    def issue() -> None:
        check_issues_code(who, target, frozenset({UNIT}), has_device=has_device)  # type: ignore[arg-type]  # an id

    if refusal is None:
        issue()
    else:
        with pytest.raises(refusal):
            issue()


def test_administrators_do_nothing_for_themselves() -> None:
    check_administers(actor("administrator"), OTHER_ID)
    check_administers(SYSTEM, None)
    with pytest.raises(SecondPersonNeeded):
        check_administers(actor("administrator"), ME)
    with pytest.raises(NotAllowed):
        check_administers(actor("leader"), OTHER_ID)


def test_an_officer_shuts_their_phone_out_alone_but_not_in() -> None:
    units = frozenset({UNIT})
    check_manages_device(actor("officer"), ME, units, is_reinstating=False)
    check_manages_device(actor("leader"), OTHER_ID, units, is_reinstating=True)
    with pytest.raises(SecondPersonNeeded):
        check_manages_device(actor("officer"), ME, units, is_reinstating=True)
    with pytest.raises(NotAllowed):
        check_manages_device(actor("officer"), OTHER_ID, units, is_reinstating=False)


KEY, OTHER = Key(), Key()
