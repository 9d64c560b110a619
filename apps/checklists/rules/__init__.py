"""Pure decisions about checklists: is a content sound, are answers in order, may a version move on.

No Django, no clock, no settings. `content` and `conditions` judge what a trainer wrote, `answers` and `values` what
an officer answered, `lifecycle` the states of a version; `words` has the sentences for people.
"""

from apps.checklists.rules.answers import WARNING_CODES, CompiledChecklist, Finding, compile_answers
from apps.checklists.rules.content import check_content, check_succession, content_hash
from apps.checklists.rules.lifecycle import (
    Approval,
    Move,
    Publication,
    Published,
    Status,
    accepts_reports,
    approve,
    close,
    may_edit_content,
    parse_semver,
    publish,
    reject,
    require_editable,
    submit,
    withdraw,
)
from apps.checklists.rules.words import answer_problem

__all__ = [
    "WARNING_CODES",
    "Approval",
    "CompiledChecklist",
    "Finding",
    "Move",
    "Publication",
    "Published",
    "Status",
    "accepts_reports",
    "answer_problem",
    "approve",
    "check_content",
    "check_succession",
    "close",
    "compile_answers",
    "content_hash",
    "may_edit_content",
    "parse_semver",
    "publish",
    "reject",
    "require_editable",
    "submit",
    "withdraw",
]
