"""The state machine: Hypothesis chooses what happens next, and shrinks a story that breaks a law."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.simulation import laws
from tests.simulation.crashes import POINTS
from tests.simulation.network import TROUBLES, Trouble
from tests.simulation.scene import Scene
from tests.simulation.server import Server
from tests.simulation.world import CLOCKS, SPANS, World

WHO = st.integers(0, 8)
PICK = st.integers(0, 7)
DEGREE = st.integers(0, 999)
TROUBLE = st.builds(Trouble, st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4, 5]), st.sampled_from(TROUBLES), DEGREE)
MISHAPS = (
    "restart",
    "power",
    *CLOCKS,
    "back up",
    "back up",
    "restore",
    "restore",
    "restore all",
    "enrol",
    "lose",
)
DEATH = st.builds(Trouble, st.just(0), st.sampled_from([*POINTS, "power"]), DEGREE)


class Story(RuleBasedStateMachine):
    """What may happen, in any order."""

    server: ClassVar[Server]
    scene: ClassVar[Scene]
    last: ClassVar[list[str]] = []
    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world: Any = None

    @initialize(chance=st.integers(0, 2**20))
    def once(self, chance: int) -> None:
        """Begin; the example in which every choice is the simplest one says nothing and is passed over."""
        if chance == 0:
            reject()
        self.world = World(self.server, self.scene)
        Story.last = self.world.story

    @rule(who=WHO, whole=st.booleans(), at_once=st.booleans())
    def begin(self, who: int, whole: bool, at_once: bool) -> None:
        self.world.begin(who, whole=whole, at_once=at_once)

    @rule(who=WHO, pick=PICK, which=st.integers(0, 2), submits=st.booleans())
    def edit(self, who: int, pick: int, which: int, submits: bool) -> None:
        self.world.edit(who, pick, which=which, submits=submits)

    @rule(who=WHO, pick=PICK, which=st.integers(0, 3), depends=st.booleans())
    def photograph(self, who: int, pick: int, which: int, depends: bool) -> None:
        self.world.photograph(who, pick, which=which, depends=depends)

    @rule(who=WHO, pick=PICK, how=st.sampled_from(["discards", "insists", "insists", "gives way"]))
    def have_second_thoughts(self, who: int, pick: int, how: str) -> None:
        if how == "discards":
            self.world.discard(who, pick)
        else:
            self.world.decide(who, pick, insists=how == "insists")

    @rule(who=WHO)
    def sync(self, who: int) -> None:
        self.world.sync(who, part="syncs", troubles=[])

    @rule(
        who=WHO,
        part=st.sampled_from(["syncs", "syncs", "pushes", "pulls", "sends photos"]),
        troubles=st.lists(TROUBLE, min_size=1, max_size=2),
    )
    def sync_in_trouble(self, who: int, part: str, troubles: list[Trouble]) -> None:
        self.world.sync(who, part=part, troubles=troubles)

    @rule(who=WHO, troubles=st.lists(TROUBLE, min_size=1, max_size=1))
    def sync_in_other_trouble(self, who: int, troubles: list[Trouble]) -> None:
        self.world.sync(who, part="syncs", troubles=troubles)

    @rule(who=WHO, pick=PICK, submits=st.booleans(), troubles=st.lists(TROUBLE, max_size=1))
    def edit_and_sync(self, who: int, pick: int, submits: bool, troubles: list[Trouble]) -> None:
        self.world.edit(who, pick, which=pick, submits=submits)
        self.world.sync(who, part="syncs", troubles=troubles)

    @rule(pick=PICK, which=st.integers(0, 2))
    def edit_apart(self, pick: int, which: int) -> None:
        self.world.edit_apart(pick, which=which)

    @rule(who=WHO, dies_at=st.integers(1, 40))
    def kill_app(self, who: int, dies_at: int) -> None:
        self.world.sync(who, part="syncs", troubles=[], dies_at=dies_at)

    @rule(who=WHO, pick=PICK, what=st.sampled_from(MISHAPS))
    def mishap(self, who: int, pick: int, what: str) -> None:
        world = self.world
        match what:
            case "restart" | "power":
                world.restart(power=what == "power")
            case "lose":
                world.lose(who)
            case "enrol":
                world.enrol(who)
            case "back up":
                world.back_up()
            case "restore" | "restore all":
                world.restore(pick, keeps_messages=what == "restore all")
            case clock:
                world.set_clock(who, clock)

    @rule(
        pick=PICK,
        verb=st.sampled_from(["takes up", "returns", "returns", "approves", "voids"]),
        death=st.none() | DEATH,
    )
    def review(self, pick: int, verb: str, death: Trouble | None) -> None:
        self.world.review(pick, verb, death)

    @rule(who=WHO, where=st.sampled_from(["away", "away", "Nội Bài", "Tân Sơn Nhất", "suspended"]))
    def post(self, who: int, where: str) -> None:
        self.world.post(who, where)

    @rule(verb=st.sampled_from(["publishes", "closes", "withdraws"]))
    def publish(self, verb: str) -> None:
        self.world.publish(verb)

    @rule(
        times=st.integers(1, 6),
        trick=st.sampled_from(["none", "lost", "twice", "last first", "relay", "relay", "dies", "dies"]),
        death=DEATH,
    )
    def work(self, times: int, trick: str, death: Trouble) -> None:
        self.world.work(times, trick, death)

    @rule(span=st.sampled_from([*SPANS, "a minute", "5 hours", "8 days"]))
    def pass_time(self, span: str) -> None:
        self.world.pass_time(span)

    @rule(index=PICK)
    def arrive_late(self, index: int) -> None:
        self.world.arrive_late(index)

    def teardown(self) -> None:
        """When the network has healed and all work is done, the laws hold."""
        if self.world is None:
            return
        try:
            laws.settle(self.world)
            laws.check(self.world)
            Story.seen.update(laws.content(self.world))
        finally:
            self.world.end()
