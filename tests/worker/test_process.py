from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ORPHANED = """
import ctypes, os, signal, time
import psutil
from worker.process import _reap_orphans

ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans are left to this process, as to a container's first

work_horse = os.fork()
if work_horse == 0:
    if os.fork() == 0:
        time.sleep(0.2)
        os._exit(0)
    time.sleep(60)
while not psutil.Process(work_horse).children():
    time.sleep(0.01)
os.kill(work_horse, signal.SIGKILL)
os.waitpid(work_horse, 0)
(orphan,) = psutil.Process().children()
_reap_orphans()
assert orphan.is_running()  # which it does not wait for
while orphan.status() != psutil.STATUS_ZOMBIE:
    time.sleep(0.01)
_reap_orphans()
assert not psutil.Process().children()
_reap_orphans()
print("none left")
"""


def test_what_wrote_for_a_killed_work_horse_leaves_no_zombie() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ORPHANED], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60
    )
    assert ended.stdout == "none left\n", ended.stderr


ASKED_TO_STOP_WHILE_IT_IMPORTS = """
import os, signal, sys, time
from infra.settings import Settings
from worker.process import run_worker

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "worker.tasks":
            try:  # as SciPy does, which imports much only when it is asked for
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(5)
            except Exception:
                raise AttributeError(name)

sys.meta_path.insert(0, Finder())
run_worker(Settings(redis_url="unix:///nowhere"))
"""


def test_asked_to_stop_while_it_imports_a_worker_ends_without_a_word() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ASKED_TO_STOP_WHILE_IT_IMPORTS],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
