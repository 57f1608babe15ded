"""The desktop program: Qt lives here and only here (app.cli excepted, which has none)."""
