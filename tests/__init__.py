"""The tests of Hải Đăng; `docs/testing.md` says what belongs where."""
