"""Every write to custody: exhibits and samples, steps, hand-over, discrepancies, results, counts, printed records."""

from apps.custody.actions.accepting import accept_hand_over
from apps.custody.actions.bundling import export_seizure
from apps.custody.actions.common import Done
from apps.custody.actions.correcting import correct_exhibit, may_correct
from apps.custody.actions.counting import count_store
from apps.custody.actions.deciding import decide_discrepancy
from apps.custody.actions.laboratory import record_result
from apps.custody.actions.offering import offer_hand_over, refuse_hand_over, withdraw_hand_over
from apps.custody.actions.printing import print_hand_over
from apps.custody.actions.recording import record_exhibit, take_sample
from apps.custody.actions.stepping import STEPS, take_step

__all__ = [
    "STEPS",
    "Done",
    "accept_hand_over",
    "correct_exhibit",
    "count_store",
    "decide_discrepancy",
    "export_seizure",
    "may_correct",
    "offer_hand_over",
    "print_hand_over",
    "record_exhibit",
    "record_result",
    "refuse_hand_over",
    "take_sample",
    "take_step",
    "withdraw_hand_over",
]
