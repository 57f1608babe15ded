"""Typed, frozen values of the engine's API (docs.docker.com/reference/api/engine), one module per noun.

Unknown fields are ignored, missing ones have defaults, so an older or newer engine decodes.
"""
