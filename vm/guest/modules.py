"""The kernel's modules: choosing those of the guest with what they need, and the tables that modprobe reads."""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from vm.guest import elf


@dataclass(frozen=True)
class Module:
    """A module, unpacked: the image as a whole is compressed, which is smaller than each module by itself."""

    path: str  # below lib/modules/<release>, ends in .ko
    content: bytes
    facts: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """As the kernel says it: underscores only."""
        return plain(PurePosixPath(self.path).stem)

    @property
    def depends(self) -> tuple[str, ...]:
        """Names of the modules that this one cannot be loaded without, and of those it asks for softly."""
        hard = [name for key, value in self.facts if key == "depends" for name in value.split(",") if name]
        soft = [value for key, value in self.facts if key == "softdep"]
        early = [name for text in soft for name in text.partition("pre:")[2].partition("post:")[0].split()]
        return tuple(plain(name) for name in (*hard, *early))


def plain(name: str) -> str:
    """A module's name in its one spelling."""
    return name.replace("-", "_")


def read(files: Mapping[str, bytes]) -> dict[str, Module]:
    """Modules by name, from paths below lib/modules/<release> and their content (`.ko` or `.ko.xz`)."""
    found: dict[str, Module] = {}
    for path, packed in files.items():
        content = lzma.decompress(packed) if path.endswith(".xz") else packed
        module = Module(path.removesuffix(".xz"), content, tuple(elf.module_facts(content)))
        found[module.name] = module
    return found


def choose(every: Mapping[str, Module], patterns: Iterable[str]) -> dict[str, Module]:
    """The modules whose names match, with all that they need; a name that is built into the kernel matches nothing."""
    wanted = [plain(pattern) for pattern in patterns]
    open_names = [name for name in every if any(fnmatchcase(name, pattern) for pattern in wanted)]
    chosen: dict[str, Module] = {}
    while open_names:
        name = open_names.pop()
        if name in every and name not in chosen:
            chosen[name] = every[name]
            open_names += every[name].depends
    return dict(sorted(chosen.items()))


def in_order(chosen: Mapping[str, Module]) -> list[Module]:
    """The same modules, each after what it needs."""
    done: dict[str, Module] = {}

    def visit(module: Module) -> None:
        if module.name not in done:
            for name in module.depends:
                if name in chosen:
                    visit(chosen[name])
            done[module.name] = module

    for module in chosen.values():
        visit(module)
    return list(done.values())


def tables(chosen: Mapping[str, Module]) -> dict[str, bytes]:
    """modules.dep and modules.alias of these modules."""
    ordered = in_order(chosen)
    place = {module.name: number for number, module in enumerate(ordered)}

    def below(module: Module) -> set[str]:
        direct = {name for name in module.depends if name in chosen}
        return direct.union(*(below(chosen[name]) for name in direct))

    lines, aliases = [], []
    for module in chosen.values():
        # modprobe loads what it reads from right to left.
        needs = sorted(below(module), key=place.__getitem__, reverse=True)
        lines.append(" ".join([f"{module.path}:", *(chosen[name].path for name in needs)]))
        aliases += [f"alias {value} {module.name}" for key, value in module.facts if key == "alias"]
    return {"modules.dep": _lines(lines), "modules.alias": _lines(aliases)}


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
