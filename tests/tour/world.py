"""What the tour looks at: an engine of its own with images from Debian's packages, and two projects that run in it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
from pathlib import Path

from tests.e2e import images
from tests.e2e.daemon import Daemon

API = r"""
i=0
mkdir -p /www && echo '<h1>shop</h1>' > /www/index.html && echo ok > /www/health && httpd -p 8000 -h /www
say() { echo "$1 $2"; sleep 0.0$((RANDOM % 9 + 1)); }
while :; do
  i=$((i + 1))
  say INFO "GET /products?page=$((i % 9 + 1)) 200 in $((RANDOM % 30 + 4)) ms"
  say DEBUG "cache hit key=product:$((RANDOM % 900)) ttl=$((RANDOM % 300))s"
  say INFO "POST /cart/items 201 in $((RANDOM % 30 + 9)) ms"
  say INFO "GET /orders/$((10400 + i)) 200 in $((RANDOM % 20 + 5)) ms"
  [ $((i % 4)) = 0 ] && say DEBUG "pool size=10 idle=$((RANDOM % 10)) waiting=0"
  [ $((i % 7)) = 0 ] && say WARN "Slow query: $((RANDOM % 700 + 400)) ms, SELECT * FROM orders WHERE status = 'open'"
  if [ $((i % 23)) = 11 ]; then
    for try in 1 2 3; do say WARN "payments: connect timeout after 3000 ms, retry $try of 3"; done
    cat >&2 <<END
ERROR charge_card failed for order $((10400 + i)): timeout talking to payments:9200
Traceback (most recent call last):
  File "/app/shop/payments.py", line 88, in charge
    response = await client.post(url, json=body, timeout=3)
httpx.ConnectTimeout: timed out
END
    say INFO "order $((10400 + i)) marked as payment_pending"
  fi
  [ $i -lt 46 ] || sleep 0.$((RANDOM % 9 + 1))
  [ $((i % 5)) = 0 ] && head -c $((RANDOM * 300)) /dev/zero | md5sum > /dev/null
done
"""
HOLD = "dd if=/dev/zero of=/dev/shm/held bs=1M count={megabytes} 2> /dev/null; "
WORK = "while :; do head -c $((RANDOM * {load} + 100000)) /dev/zero | md5sum > /dev/null; sleep 0.{rest}; done"
REST = "echo ready; trap exit TERM; while :; do sleep 1; done"

IMAGES = (
    ("shop-api:dev", 21, "EXPOSE 8000", HOLD.format(megabytes=96) + API),
    ("shop-worker:dev", 14, "", HOLD.format(megabytes=40) + WORK.format(load=300, rest=7)),
    ("shop-db:16.3", 48, "EXPOSE 5432", HOLD.format(megabytes=180) + WORK.format(load=150, rest=6)),
    ("shop-cache:7.2", 6, "EXPOSE 6379", HOLD.format(megabytes=18) + WORK.format(load=20, rest=9)),
    ("analytics-etl:dev", 33, "", "sleep 2; exit 1"),
    ("analytics-store:24.5", 72, "", "sleep 1; tail /dev/zero"),
    ("analytics-board:0.50", 58, "EXPOSE 3000", HOLD.format(megabytes=150) + WORK.format(load=90, rest=8)),
    ("mailpit:1.18", 9, "EXPOSE 8025 1025", REST),
)
"""Name, megabytes of content, one more line of the Dockerfile, and what it does when it runs."""

DOCKERFILE = """\
FROM debian:12 AS base
RUN apt-get update && apt-get install -y --no-install-recommends apache2 \\
    && rm -rf /var/lib/apt/lists/*

FROM base AS assets
WORKDIR /web
COPY web/ .
RUN cat *.css > site.css && gzip -k site.css

FROM base
ENV APACHE_LOG_DIR=/var/log/apache2 PORT=80
COPY --from=assets /web /var/www/html
RUN ln -sf /dev/stdout $APACHE_LOG_DIR/access.log && ln -sf /dev/stderr $APACHE_LOG_DIR/error.log
{test}EXPOSE 80
CMD ["apachectl", "-D", "FOREGROUND"]
"""
TEST = "RUN apachectl configtest && test -s /var/www/html/robots.txt\n"


class World:
    """The engine, a home with code in it, and what runs. `close` leaves nothing."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.daemon = Daemon()
        self.code = home / "code"

    def start(self) -> None:
        """Everything that the tour needs."""
        busybox, debian, buildx = images.busybox_tar(), images.debian_tar(), images.buildx_plugin()
        self.daemon.start()
        self._configure(buildx)
        self._import("busybox:1.36", busybox, 'CMD ["sh"]')
        self.docker("import", "--change", 'CMD ["bash"]', str(debian), "debian:12")
        self._make_images()
        self._make_folder()
        self._run_shop()
        self._run_analytics()
        self._run_others()

    def close(self) -> None:
        """Stops the engine and everything in it."""
        self.daemon.close()

    def docker(self, *words: str, stdin: bytes | None = None, check: bool = True) -> str:
        """The docker command line against this engine."""
        env = {**os.environ, "DOCKER_HOST": self.daemon.docker_host, "DOCKER_BUILDKIT": "0"}
        done = subprocess.run(["docker", *words], input=stdin, capture_output=True, env=env, timeout=600)
        assert not check or done.returncode == 0, f"docker {words}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode(errors="replace").strip()

    def _configure(self, buildx: Path) -> None:
        """A docker context named `local`, the current one, and buildx: as a person's own docker configuration."""
        config = self.home / ".docker"
        meta = config / "contexts" / "meta" / hashlib.sha256(b"local").hexdigest()
        meta.mkdir(parents=True)
        host = {"docker": {"Host": self.daemon.docker_host, "SkipTLSVerify": False}}
        (meta / "meta.json").write_text(json.dumps({"Name": "local", "Metadata": {}, "Endpoints": host}))
        (config / "config.json").write_text(json.dumps({"currentContext": "local"}))
        (config / "cli-plugins").mkdir()
        (config / "cli-plugins" / "docker-buildx").symlink_to(buildx)

    def _import(self, name: str, tar: bytes, change: str) -> None:
        self.docker("import", "--change", change, "-", name, stdin=tar)

    def _make_images(self) -> None:
        for name, size, extra, script in IMAGES:
            lines = [
                "FROM busybox:1.36", "WORKDIR /app", f"RUN dd if=/dev/urandom of=/app/lib bs=1M count={size} 2>&1",
                "COPY start /app/", "ENV TZ=UTC", extra, 'CMD ["/app/start"]',
            ]  # fmt: skip
            folder = self.home / "images" / name.replace(":", "-")
            folder.mkdir(parents=True)
            (folder / "Dockerfile").write_text("\n".join(lines))
            (folder / "start").write_text(f"#!/bin/sh\n{script}\n")
            (folder / "start").chmod(0o755)
            self.docker("build", "-t", name, str(folder))
        self.docker("tag", "shop-api:dev", "registry.example/shop/api:1.4.0")
        self.docker("build", "-", stdin=b"FROM busybox:1.36\nRUN head -c 7000000 /dev/urandom > /left\n")

    def _make_folder(self) -> None:
        web = self.code / "shop" / "web"
        web.mkdir(parents=True)
        (web / "index.html").write_text("<!doctype html><title>shop</title><h1>Shop</h1>\n")
        (web / "base.css").write_text("body { font: 16px sans-serif }\n" * 400)
        (web / "shop.css").write_text("h1 { color: teal }\n" * 200)
        self.write_dockerfile(DOCKERFILE.format(test=""))

    def write_dockerfile(self, text: str) -> Path:
        """The Dockerfile of the shop; returns its folder."""
        folder = self.code / "shop"
        (folder / "Dockerfile").write_text(text)
        return folder

    def _up(self, project: str, service: str, image: str, *flags: str) -> None:
        labels = {"project": project, "service": service, "project.working_dir": str(self.code / project)}
        given = [word for key, value in labels.items() for word in ("--label", f"com.docker.compose.{key}={value}")]
        self.docker("run", "-d", "--name", f"{project}-{service}-1", *given, *flags, image)

    def _run_shop(self) -> None:
        health = ("--health-cmd", "wget -qO- http://127.0.0.1:8000/health", "--health-interval", "2s")
        self._up(
            "shop", "api", "shop-api:dev", "-m", "512m", "--shm-size", "1g", *publish(8000), *health,
            "-e", "DATABASE_URL=postgres://shop@db/shop", "-e", "API_TOKEN=4f9a1c",
        )  # fmt: skip
        self._up(
            "shop", "db", "shop-db:16.3", "-m", "1g", "--shm-size", "1g", "-v", "shop-data:/var/lib/data",
            *publish(5432),
        )  # fmt: skip
        self._up("shop", "cache", "shop-cache:7.2", "-m", "128m", *publish(6379))
        self._up("shop", "worker", "shop-worker:dev", "-m", "256m")

    def _run_analytics(self) -> None:
        sick = ("--health-cmd", "false", "--health-interval", "1s", "--health-retries", "2")
        self._up(
            "analytics", "board", "analytics-board:0.50", "-m", "1g", "--shm-size", "1g", *sick, *publish(3000)
        )  # fmt: skip
        self._up("analytics", "etl", "analytics-etl:dev", "--restart", "always")
        self._up("analytics", "store", "analytics-store:24.5", "-m", "24m")

    def _run_others(self) -> None:
        self.docker("run", "-d", "--name", "mailpit", *publish(8025), *publish(1025), "mailpit:1.18")
        self.docker("run", "--name", "migrate", "shop-api:dev", "echo", "done")
        self.docker("run", "-d", "--name", "minio", "-v", "/data", "mailpit:1.18")
        self.docker("pause", "minio")
        self.docker("create", "--name", "db-upgrade", "shop-db:16.3")


def publish(port: int) -> list[str]:
    """-p for a port of this host, or for one nearby where it is taken."""
    for host in range(port, port + 50):
        with socket.socket() as line:
            try:
                line.bind(("127.0.0.1", host))
            except OSError:
                continue
        return ["-p", f"127.0.0.1:{host}:{port}"]
    return ["-p", f"127.0.0.1::{port}"]
