"""The demo: an invented year and a half of a real service, lived through the actions of the apps (docs/decisions/0007).

Units are real, everything else is invented: people, numbers, inspections. `build` is the one entrance; `simulation`
holds the clock and the dice, `units`, `people`, `checklists`, `history` and `photos` each make one part, `words` and
`profiles` say what a gate sees, `answers` fills in a checklist.
"""
