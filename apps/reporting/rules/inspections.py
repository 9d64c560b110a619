"""Pure definitions of the figures of inspections: the sums they are made of and the named measures.

docs/figures.md says the same in prose. No database, no clock: sums come in, figures go out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.reporting.rules.periods import Comparison, compare

FINDING = "finding"
# Reports that go with inspections but are none: counting them would count one deed twice.
SUPPORT_TYPES = ("equipment", "canine", "finding", "handover")


@dataclass(frozen=True)
class Figures:
    """Sums over a set of counted inspections; every measure is a function of these four numbers."""

    inspections: int = 0
    inspections_with_finding: int = 0
    required_steps: int = 0
    answered_steps: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.inspections + other.inspections,
            self.inspections_with_finding + other.inspections_with_finding,
            self.required_steps + other.required_steps,
            self.answered_steps + other.answered_steps,
        )

    @property
    def hit_rate(self) -> float | None:
        """Give inspections with a finding per inspection; nothing inspected has no rate."""
        return self.inspections_with_finding / self.inspections if self.inspections else None

    @property
    def checklist_compliance(self) -> float | None:
        """Give required steps answered per required step; nothing required has no rate."""
        return self.answered_steps / self.required_steps if self.required_steps else None


@dataclass(frozen=True)
class Measure:
    """A figure with a name and the text of its definition in both languages; `is_rate` is shown in percent."""

    code: str
    vi: str
    en: str
    definition_vi: str
    definition_en: str
    value: Callable[[Figures], float | None]
    is_rate: bool = False


MEASURES: tuple[Measure, ...] = (
    Measure(
        "inspections",
        "Lượt kiểm tra",
        "Inspections",
        "Số báo cáo kiểm tra đã nhận có ngày kiểm tra trong kỳ, kể cả báo cáo đang chờ ảnh, đang soát xét hoặc bị trả "
        "lại; không tính bản nháp, báo cáo đã hủy, báo cáo giới hạn theo danh sách, và các báo cáo đi kèm (thiết bị, "
        "chó nghiệp vụ, xử lý khi phát hiện nghi ma túy, bàn giao tang vật).",
        "Received inspection reports whose day of inspection lies in the period, also while they wait for photos, are "
        "under review or were returned; without drafts, voided reports, reports held in a compartment, and reports "
        "that accompany inspections (equipment, dog team, suspected find, hand-over).",
        lambda f: f.inspections,
    ),
    Measure(
        "inspections_with_finding",
        "Lượt phát hiện vi phạm",
        "Inspections with a finding",
        "Số lượt kiểm tra (theo định nghĩa trên) có kết quả “Phát hiện vi phạm”. “Chuyển kiểm tra sâu” và “Nghi vấn, "
        "theo dõi” chưa phải là phát hiện.",
        "Inspections (as defined) whose outcome is “Finding”. “Referred” and “Suspicion open” are not findings yet.",
        lambda f: f.inspections_with_finding,
    ),
    Measure(
        "hit_rate",
        "Tỷ lệ phát hiện",
        "Hit rate",
        "Lượt phát hiện vi phạm chia cho lượt kiểm tra; kỳ không có lượt kiểm tra thì không có tỷ lệ.",
        "Inspections with a finding divided by inspections; a period without inspections has no rate.",
        lambda f: f.hit_rate,
        is_rate=True,
    ),
    Measure(
        "checklist_compliance",
        "Mức tuân thủ quy trình",
        "Checklist compliance",
        "Số bước bắt buộc đã trả lời chia cho số bước bắt buộc, cộng trên mọi lượt kiểm tra trong kỳ. Bước được đánh "
        "dấu không áp dụng có nêu lý do được tính là đã trả lời.",
        "Required steps answered divided by required steps, summed over all inspections of the period. A step marked "
        "not applicable with a reason counts as answered.",
        lambda f: f.checklist_compliance,
        is_rate=True,
    ),
)


def comparisons(now: Figures, before: Figures) -> dict[str, Comparison]:
    """Compare every measure of two periods, by code; a count stands on itself, a rate on what it divides by."""
    base = {
        "inspections": before.inspections,
        "inspections_with_finding": before.inspections_with_finding,
        "hit_rate": before.inspections,
        "checklist_compliance": before.required_steps,
    }
    return {m.code: compare(m.value(now), m.value(before), base[m.code]) for m in MEASURES}
