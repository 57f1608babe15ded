"""What is told once a container was made: that it is there, or that it ended at once."""

from __future__ import annotations

from PySide6.QtCore import QTimer

from app.commands.ownership import ownership_notice, refused_mount
from app.commands.run.running import Running, warnings_of
from app.notices import Notice, Step
from app.operation import Operation
from app.places import CONTAINERS, Place
from app.session import Session
from backend import containers
from backend.types.containers import ContainerId, Inspected, Mount

LOOK_AFTER_MS = 1200


def tell_made(session: Session, target: Running, operation: Operation, *, offer: bool) -> None:
    """Tells the success, with a way to the container when `offer`; a moment later, whether it has failed already.

    What the engine warned of is told with it: of ports that it does not publish, say.
    """
    made = ContainerId(str(operation.result))
    warnings = " ".join(warnings_of(operation))
    name = target.form.name or target.form.image
    words = f"{'Created' if target.create_only else 'Started'} {name}"
    logs = Place(CONTAINERS, made, "logs")
    step = Step("Open", "go", logs) if offer else None
    session.notice(Notice(words, warnings, step, "warning" if warnings else "success"))

    def tell(found: Inspected) -> None:
        state = found.value.state
        if state.exit_code and not state.running:
            title = f"{name} ended at once, with code {state.exit_code}"
            plain = Notice(title, "Its log may say why.", Step("Open the logs", "go", logs), "warning")

            def why(mount: Mount | None) -> None:
                session.notice(plain if mount is None else ownership_notice(name, mount, target.form))

            session.ask(
                lambda engine: refused_mount(engine, found.value),
                why,
                lambda _error: session.notice(plain),
                owner=session,
            )

    def look() -> None:
        session.ask(lambda engine: containers.inspect(engine, made), tell, lambda _error: None, owner=session)

    if not target.create_only:
        QTimer.singleShot(LOOK_AFTER_MS, session, look)
