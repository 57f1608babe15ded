"""The words of the machine's checks: what each is called, what its result means, what its repair does."""

from __future__ import annotations

from vm.diagnosis.check import Check, Name, Repair

NAMES: dict[Name, str] = {
    "qemu": "QEMU",
    "accelerator": "Virtualization",
    "image": "Image",
    "disk": "Disk",
    "space": "Room on this computer",
    "folders": "Folders and keys",
    "process": "Machine",
    "socket": "Local socket",
    "ssh": "Way into the machine",
    "engine": "Engine",
    "room": "Room in the machine",
    "names": "Names (DNS)",
    "proxy": "Proxy",
    "time": "Clock",
    "ports": "Published ports",
    "shares": "Shared folders",
}
"""What a check is called, in the order in which they are shown."""
REPAIRS: dict[Repair, str] = {
    "start": "Start the machine",
    "restart": "Restart the machine",
    "image": "Bring a whole image",
    "disk": "Repair the disk's tables",
    "folders": "Make them private",
    "socket": "Open the socket again",
    "engine": "Restart the engine",
    "names": "Restart its resolver",
    "clock": "Set the clock",
}
"""What the button of a repair says."""
CONSEQUENCES: dict[Repair, str] = {
    "restart": "Containers that run are ended, and start again if they are set to.",
    "disk": "The tables of the disk's file are written anew. What cannot be saved is lost, so copy the file first.",
}
"""What a person is asked before; for vm.diagnosis.check.ASKED."""
_HINTS: dict[str, str] = {
    "late": "It was not looked at to its end. Try again when the computer is less busy.",
    "not-running": "The machine does not run.",
    "no-machine": "There is no machine yet.",
    "no-kernel": "There is no kernel to try it with. Look at the image first.",
    "slow": "Every instruction is translated. It works, and it is slow.",
    "QemuMissing": "The machine runs in QEMU. Install it.",
    "QemuTooOld": "Update QEMU.",
    "QemuWrongArchitecture": "Install the QEMU for this computer's processor.",
    "QemuCrashed": "Install another QEMU; the first that works is taken.",
    "QemuSilent": "Try again when the computer is less busy.",
    "QemuUnknown": "What is called QEMU here is something else. Install another one.",
    "QemuForbidden": "The system does not let you start it.",
    "NoAccelerator": "Not even emulation works. Install another QEMU.",
    "ImageUnsigned": "It is neither signed by a release nor built here.",
    "ImageUnreadable": "Its manifest cannot be read.",
    "ImageDamaged": "A file of it is missing or altered. What is stored in the machine is not in there.",
    "ImageWrongArchitecture": "It is for another kind of computer.",
    "ImageTooOld": "A newer one is needed.",
    "DataNewer": "What is on the disk was used with a newer image. Update the machine; nothing on it is changed.",
    "DiskForeign": "This is not the machine's disk. Put its own one back.",
    "DiskCorrupt": "The tables of the disk contradict each other. Copy the file before anything else.",
    "DiskToolFailed": "The disk's file could not be read.",
    "leaks": "Room is lost in the disk's file, as after a crash. Nothing else is wrong with it.",
    "host-full": "When nothing is free the machine stands still. Make room on this computer.",
    "guest-full": "Remove images, containers or volumes that are not used, or give the machine a larger disk.",
    "too-long": "A socket's path has a limit. Let PILOTHOUSE_HOME name a shorter folder.",
    "foreign-owner": "It belongs to another user. Give it back to yourself.",
    "open-folders": "Others could read or change it.",
    "silent": "What runs the machine does not answer.",
    "ended": "The machine ended without being asked to.",
    "unresponsive": "It runs, and its engine does not answer.",
    "no-socket": "Programs such as docker do not find the engine.",
    "no-way-in": "Nothing inside of the machine can be reached.",
    "no-engine": "The engine in the machine does not answer.",
    "no-name-of-host": "Containers do not find this computer, and names may not work at all.",
    "nothing-resolves": "This computer cannot resolve it either: it may have no way to the internet.",
    "no-names": "This computer can resolve it, and the machine cannot.",
    "no-proxy": "None is set.",
    "proxy-silent": "Images cannot be pulled through it. Look at the proxy settings of this computer.",
    "clock": "Certificates may seem invalid, and times in logs are wrong.",
    "ports": "What a container publishes does not answer on this computer.",
    "shares": "A shared folder is not there in the machine.",
}


def title(check: Check) -> str:
    """What was looked at."""
    return NAMES[check.name]


def explanation(check: Check) -> str:
    """What the result means and what to do; empty where there is nothing to say."""
    return _HINTS.get(check.hint, "" if check.result == "good" else "It could not be looked at.")


def line(check: Check) -> str:
    """All of it in one line, for a terminal."""
    told = " ".join(check.told.split())
    said = ". ".join(each.rstrip(".") for each in (told, explanation(check)) if each)
    return f"{title(check)}: {check.result}" + (f". {said}." if said else "")
