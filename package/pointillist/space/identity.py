"""Who a runner is, and whether it still lives.

On one host a process is known by boot id, process-id namespace, process id and start time, so
that neither a reused process id nor a container with the same host name is mistaken for it. Of a
process elsewhere only its heartbeat can be seen.
"""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity:
    """One process on one machine.

    Parameters
    ----------
    host : str
        The host's name.
    boot : str
        The boot id (``/proc/sys/kernel/random/boot_id``), empty where there is none.
    namespace : str
        The process-id namespace (``/proc/self/ns/pid``), empty where there is none.
    pid : int
        The process id.
    started : str
        When the process started, in the system's own terms.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    @classmethod
    def own(cls) -> Identity:
        """Return this process's identity."""
        pid = os.getpid()
        return cls(socket.gethostname(), _boot(), _namespace(), pid, _started(pid))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Identity:
        """Return the identity that `as_json` described."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__})

    def as_json(self) -> dict[str, Any]:
        """Return the identity as plain data."""
        return asdict(self)

    def alive(self) -> bool | None:
        """Whether the process lives: True, False, or None where it cannot be known from here."""
        here = Identity.own()
        if self.host != here.host:
            return None
        if self.boot != here.boot:
            # the same name and another boot: this machine has restarted since
            return False
        if self.namespace != here.namespace:
            return None
        started = _started(self.pid)
        if not started and _is_hidden(self.pid):
            return None
        return started == self.started != ""


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process started, empty if it is gone or a zombie."""
    if Path("/proc/self/stat").exists():
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return ""
        fields = text.rpartition(")")[2].split()  # the name before it may hold anything
        return "" if fields[0] in "ZX" else fields[19]
    listed = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()


def _is_hidden(pid: int) -> bool:
    """Whether there is a process of another user that ``/proc`` does not show (``hidepid``)."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        pass
    return False


def user() -> str:
    """Return the user's name, or the number where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def runner_name() -> str:
    """Return a name for this process's journal: when it began, where, and which process."""
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    host = "".join(c if c.isalnum() or c in "._" else "_" for c in socket.gethostname())
    return f"{moment}-{host}-{os.getpid()}"
