"""The version of the program; the package takes it from here, because asking for it costs a start 15 ms."""

VERSION = "0.1.0"
