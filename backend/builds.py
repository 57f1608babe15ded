"""Builds an image from a Dockerfile with the builder that the engine and this computer offer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import aclosing

from backend import build_classic, build_context, buildkit, dockerfiles, registries, relay
from backend.client import Engine
from backend.endpoint import Ssh
from backend.errors import BuilderMissing, ContextUnusable
from backend.types.builds import Builder, BuildEvent, BuildRequest, Planned
from backend.types.system import Feature


def builders(engine: Engine) -> tuple[Builder, ...]:
    """The builders that can be chosen, the better one first. Looks for a file, and starts nothing."""
    near = relay.POSSIBLE or not isinstance(engine.endpoint, Ssh)
    if Feature.BUILDKIT in engine.features and near and buildkit.find():
        return (Builder.BUILDKIT, Builder.CLASSIC)
    return (Builder.CLASSIC,)


async def build(engine: Engine, request: BuildRequest, emit: Callable[[BuildEvent], None]) -> str:
    """Builds, tells `emit` what happens, and returns the id of the image.

    The folder and the Dockerfile are checked before anything is sent. Raises ContextUnusable, DockerfileMissing,
    DockerfileInvalid, BuilderMissing, BuildFailed, and what the engine raises. Cancelling it stops the build on the
    engine. There is no deadline: a build takes what it takes.
    """
    if not await asyncio.to_thread(os.path.isdir, request.context):
        there = await asyncio.to_thread(os.path.exists, request.context)
        reason = "it is not a folder" if there else "it does not exist"
        raise ContextUnusable(str(request.context), reason)
    builder = request.builder or builders(engine)[0]
    text = await asyncio.to_thread(dockerfiles.read, request.dockerfile_path)
    file = dockerfiles.parse(text, builder)
    plan = dockerfiles.plan(file, builder, request.target)
    emit(Planned(plan))
    if builder is Builder.BUILDKIT:
        path = buildkit.find()
        if not path:
            raise BuilderMissing("buildx is not installed")
        async with relay.nearby(engine) as endpoint:
            return await buildkit.build(await buildkit.probe(path), endpoint, request, plan, emit)
    context = await asyncio.to_thread(build_context.prepare, request.context, request.dockerfile_path)
    logins = await registries.authorizations(dockerfiles.bases(file, dict(request.build_args), request.target))
    headers = {"Content-Type": "application/x-tar", **({"X-Registry-Config": logins} if logins else {})}
    reader = build_classic.ClassicReader(plan, emit)
    async with aclosing(build_context.stream(context, emit)) as body:
        messages = engine.ndjson(
            "POST",
            "/build",
            build_classic.Message,
            query=build_classic.query(request, context.dockerfile),
            content=body,
            headers=headers,
            deadline=None,
        )
        async with aclosing(messages):
            async for message in messages:
                reader.feed(message)
    return reader.finish()
