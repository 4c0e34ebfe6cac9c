"""The whole pipeline on a real Slurm: submitted once, shown, lost, cancelled, submitted again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointillist.space.elements import batch_of

Client = Callable[..., str]

WHOLE = {
    *(f"Recording.{step} {n}" for step in ("mean", "double") for n in (0, 1)),
    "Session.total 0",
}
TASKS = ("a 1 mean", "a 1 double", "a 2 mean", "a 2 double", "a total")


def out_files(root: Path) -> list[str]:
    """Return what is kept of what batch jobs printed."""
    return sorted(path.name for path in (root / ".pointillist" / "submissions").glob("*.out"))


def test_whole_pipeline(cluster: Any, client: Client) -> None:
    """One `submit` brings members and aggregate to their ends; a second one sends nothing."""
    cluster.make({"a_1": "1", "a_2": "2"})
    said = cluster.does("submit", "--hold")
    assert "submitted: 5 tasks (2 of Recording.mean, 2 of Recording.double, 1 of" in said
    shown = cluster.tasks()
    assert dict.fromkeys(TASKS, "submitted") == {name: state for name, (state, _) in shown.items()}
    ids = cluster.ids()
    first = ids["Recording.mean 0"]
    assert f"held in batch job {first} (JobHeldUser)" == shown["a 1 mean"][1]
    assert f"{first} (JobHeldUser)" in cluster.does("why", "mean", "--where", "index=1")

    assert "nothing submitted; the scheduler has 5 tasks already.\n" == cluster.does("submit")
    assert WHOLE == set(cluster.jobs())
    client("scontrol", "release", *{id.partition("_")[0] for id in ids.values()})
    assert dict.fromkeys(WHOLE, "COMPLETED") == cluster.ended()
    assert dict.fromkeys(TASKS, "complete") == cluster.states()
    (file,) = cluster.root.glob("aggregates/Session/workspace/*/total.txt")
    assert "6.0" == file.read_text().strip()
    assert [] == out_files(cluster.root)
    assert "nothing submitted: all is complete.\n" == cluster.does("submit")
    (kept,) = (cluster.root / ".pointillist" / "submissions").iterdir()
    assert kept.name.endswith(".ended.jsonl")


def test_failed_member(cluster: Any) -> None:
    """A member that fails keeps its own aggregate from being made, by name, and no other one."""
    cluster.make({"a_1": "1", "a_2": "no number", "b_1": "3"})
    cluster.does("submit")
    jobs = cluster.ended()
    assert "FAILED" == jobs["Recording.mean 1"]
    assert "CANCELLED" == jobs["Recording.double 1"]
    shown = cluster.tasks()
    assert ("waiting", "Recording session=a index=2 double is waiting") == shown["a total"]
    assert "could not convert string to float" in shown["a 2 mean"][1]
    assert ["complete"] * 3 == [shown[name][0] for name in ("a 1 double", "b 1 double", "b total")]
    assert 1 == len(out_files(cluster.root))
    said = cluster.does("submit")
    assert said.startswith("nothing submitted.\nnot submitted: 1 failed, 2 waiting;")
    cluster.raw("a_2").write_text("2")
    said = cluster.does("submit")
    assert "submitted: 3 tasks" in said
    cluster.ended()
    assert {"complete"} == set(cluster.states().values())


def test_bundles_side_by_side(cluster: Any) -> None:
    """A bundle is one batch job, which does its tasks in several processes if it is asked to."""
    cluster.make({f"a_{n}": f"{n}" for n in range(4)})
    said = cluster.does("submit", "-b", "2", "-p")
    assert "Recording.mean: 4 tasks in 2 batch jobs of 2 cores" in said
    jobs = cluster.ended()
    assert dict.fromkeys(WHOLE, "COMPLETED") == jobs
    assert {"complete"} == set(cluster.states().values())
    runs = (cluster.root / ".pointillist" / "runs").iterdir()
    pooled = [file.stem for file in runs if '"executor":"processes"' in file.read_text()]
    batches = {batch_of(runner).partition(".")[2] for runner in pooled}
    assert {"1.0", "1.1", "2.0", "2.1"} == batches


def test_cancelled_by_the_cluster(cluster: Any, client: Client) -> None:
    """A batch job that the cluster ends leaves failed tasks, with its reason, to be sent again."""
    cluster.make({"a_1": "1", "a_2": "2"})
    cluster.does("submit", "--hold")
    ids = cluster.ids()
    lost = ids["Recording.mean 1"]
    client("scancel", lost)
    shown = cluster.tasks()
    assert ("failed", f"batch job {lost} ended: CANCELLED") == shown["a 2 mean"]
    assert "submitted" == shown["a 1 mean"][0]
    client("scontrol", "release", *{id.partition("_")[0] for id in ids.values()})
    assert "CANCELLED" == cluster.ended()["Recording.double 1"]
    said = cluster.does("submit")
    assert said.startswith("nothing submitted.\nnot submitted: 1 failed, 2 waiting;")
    assert (
        f"failed at attempt 1: batch job {lost} ended: CANCELLED" == cluster.tasks()["a 2 mean"][1]
    )
    assert "submitted: 3 tasks" in cluster.does("submit", "--retry-failed")
    cluster.ended()
    assert {"complete"} == set(cluster.states().values())


def test_ended_at_work(cluster: Any, client: Client) -> None:
    """A task at work that the cluster ends is recorded twice: as interrupted, and why."""
    cluster.make({"a_1": "linger", "a_2": "2"})
    cluster.does("submit", "-o", "mean", "-b", "0")
    cluster.until("a 1 mean", "running")
    assert "submitted" == cluster.states()["a 2 mean"]
    client("scancel", cluster.ids()["Recording.mean 0"])
    cluster.ended()
    shown = cluster.tasks()
    assert ["failed", "failed"] == [shown[name][0] for name in ("a 1 mean", "a 2 mean")]
    cluster.does("run", "-o", "double", code=0)
    (id,) = {
        file.parent.name
        for file in cluster.root.glob("workspace/*/signac_statepoint.json")
        if 1 == json.loads(file.read_text())["index"]
    }
    lines = cluster.does("history", "-j", id).splitlines()[2:]
    assert ["interrupted", "failed"] == [line.split()[4] for line in lines[:2]]
    assert "ended on node: CANCELLED" in lines[1]


def test_killed(cluster: Any) -> None:
    """A batch job whose process dies has lost the tasks that it had not done."""
    cluster.make({"a_1": "1", "a_2": "die", "a_3": "3"})
    cluster.does("submit", "-o", "mean", "-b", "0")
    assert {"Recording.mean 0": "FAILED"} == cluster.ended()
    shown = cluster.tasks()
    assert "complete" == shown["a 1 mean"][0]
    assert ["failed", "failed"] == [shown[name][0] for name in ("a 2 mean", "a 3 mean")]
    assert "submitted: 1 task (1 of Recording.double)." in cluster.does("submit")
    cluster.ended()
    assert "failed at attempt " in cluster.tasks()["a 3 mean"][1]


def test_cancel(cluster: Any) -> None:
    """`cancel` ends what is selected, and its tasks are as if they had not been submitted."""
    cluster.make({"a_1": "1", "a_2": "2", "b_1": "3"})
    assert "nothing of that is with the scheduler.\n" == cluster.does("cancel")
    cluster.does("submit", "--hold")
    said = cluster.does("cancel", "mean", "--where", "session=b")
    assert "cancelled 1 batch job with 1 task: 1 of Recording.mean.\n" == said
    assert "ready" == cluster.states()["b 1 mean"]
    assert "submitted" == cluster.states()["a 1 mean"]
    said = cluster.does("cancel")
    assert "4 of Recording.mean" not in said
    assert {"CANCELLED"} == set(cluster.ended().values())
    assert {"ready", "waiting"} == set(cluster.states().values())
    assert "nothing of that is with the scheduler.\n" == cluster.does("cancel")
    said = cluster.does("submit", "--hold")
    assert "submitted: 8 tasks" in said
    cluster.does("cancel")


def test_two_at_once(cluster: Any, slurm: dict[str, str]) -> None:
    """Of two `submit`s at once one sends, and the other sees that nothing is left to be sent."""
    cluster.make({"a_1": "1", "a_2": "2"})
    command = [sys.executable, "project.py", "submit", "--hold"]
    both = [
        subprocess.Popen(
            command,
            cwd=cluster.root,
            env={**os.environ, **slurm},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = sorted(one.communicate()[0].splitlines()[-1] for one in both)
    assert [0, 0] == [one.returncode for one in both]
    assert said[0] == "nothing submitted; the scheduler has 5 tasks already."
    assert said[1].startswith("submitted: 5 tasks")
    assert WHOLE == set(cluster.jobs())
    cluster.does("cancel")


def test_controller_is_away(cluster: Any, no_controller: dict[str, str]) -> None:
    """Where the controller does not answer `status` says so and goes on, `submit` sends nothing."""
    cluster.make({"a_1": "1"})
    cluster.does("submit", "--hold")
    done = cluster.call("status", "--json", **no_controller)
    assert 0 == done.returncode
    (line,) = done.stderr.splitlines()
    assert line.startswith("The scheduler cannot be asked: squeue exited with 1: ")
    assert line.endswith(" What was last known counts.")
    shown = cluster.tasks(**no_controller)
    assert {"submitted"} == {state for state, _ in shown.values()}
    assert "; the scheduler cannot be asked" in shown["a 1 mean"][1]
    before = cluster.jobs()
    done = cluster.call("submit", **no_controller)
    assert 1 == done.returncode
    assert done.stderr.startswith("Error: the scheduler cannot be asked what it has already, so")
    assert before == cluster.jobs()
    cluster.does("cancel")


def test_calls(cluster: Any, counted_calls: Any) -> None:
    """`submit` calls `sbatch` once an array; `status` asks once, and not where nothing is left."""
    cluster.make({f"a_{n}": f"{n}" for n in range(5)})
    cluster.does("status", PATH=counted_calls.path)
    assert {} == counted_calls()
    cluster.does("submit", "--hold", PATH=counted_calls.path)
    assert {"sbatch": 3, "scontrol": 1} == counted_calls()
    cluster.does("status", PATH=counted_calls.path)
    assert {"squeue": 1} == counted_calls()
    cluster.does("cancel")
    cluster.does("run", PATH=counted_calls.path)
    assert {"squeue": 1} == counted_calls()
    cluster.does("status", PATH=counted_calls.path)
    assert {} == counted_calls()


def test_only_some(cluster: Any) -> None:
    """`-n` submits so many tasks, each after those that it reads from, and says what is left."""
    cluster.make({"a_1": "1", "a_2": "2"})
    said = cluster.does("submit", "--hold", "-n", "0")
    assert "nothing submitted.\nnot submitted: 5 left out by -n; `why` says more.\n" == said
    said = cluster.does("submit", "--hold", "-n", "3")
    assert "submitted: 3 tasks (2 of Recording.mean, 1 of Recording.double).\n" in said
    assert "not submitted: 2 left out by -n;" in said
    cluster.does("cancel")


def test_more_is_submitted_later(cluster: Any) -> None:
    """What reads from tasks that are queued waits for their arrays; only what is new is sent."""
    cluster.make({"a_1": "1", "a_2": "2"})
    cluster.does("submit", "--hold", "-o", "mean")
    first = cluster.ids()["Recording.mean 0"].partition("_")[0]
    said = cluster.does("submit", "--hold")
    assert f"Recording.double: 2 tasks in 2 batch jobs of 1 core, after afterany:{first}\n" in said
    assert "submitted: 3 tasks (2 of Recording.double, 1 of Session.total); the scheduler" in said
    cluster.does("cancel")


def test_submit_that_died(cluster: Any) -> None:
    """What a `submit` handed over and had no time to write down is known by its name."""
    cluster.make({"a_1": "1", "a_2": "2"})
    cluster.does("submit", "--hold")
    (file,) = (cluster.root / ".pointillist" / "submissions").iterdir()
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if '"kind":"sent"' not in line))
    assert "nothing submitted; the scheduler has 5 tasks already.\n" == cluster.does("submit")
    assert "cancelled 5 batch jobs" in cluster.does("cancel")
    assert {"CANCELLED"} == set(cluster.ended().values())


def test_submit_that_died_before(cluster: Any) -> None:
    """What a `submit` has written down and did not hand over is submitted by the next one."""
    cluster.make({"a_1": "1", "a_2": "2"})
    folder = cluster.root / "nothing"
    folder.mkdir()
    (folder / "sbatch").write_text('#!/bin/sh\nkill -KILL "$PPID"\n')
    (folder / "sbatch").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "project.py", "submit"],
        cwd=cluster.root,
        env={**os.environ, **cluster.slurm, "PATH": f"{folder}:{os.environ['PATH']}"},
        check=False,
    )
    assert -9 == done.returncode
    assert {"ready", "waiting"} == set(cluster.states().values())
    assert "submitted: 5 tasks" in cluster.does("submit", "--hold")
    assert 1 == len(list((cluster.root / ".pointillist" / "submissions").glob("*.ended.jsonl")))
    cluster.does("cancel")


def test_copy_of_a_project(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was submitted from a project is not what a copy of it has submitted."""
    cluster.make({"a_1": "1"})
    cluster.does("submit", "--hold")
    copy = Path(shutil.copytree(cluster.root, tmp_path_factory.mktemp("copy") / "lab"))
    here, cluster.root = cluster.root, copy
    assert {"ready", "waiting"} == set(cluster.states().values())
    assert "nothing of that is with the scheduler.\n" == cluster.does("cancel")
    cluster.root = here
    assert {"submitted"} == set(cluster.states().values())
    cluster.does("cancel")


def test_in_python(cluster: Any) -> None:
    """`lab.submit` does what the verb does, on records."""
    cluster.make({"a_1": "1", "b_1": "2"})
    code = "from project import *; lab = Lab(); lab.submit(jobs=lab[Recording].where(session='a'))"
    environment = {**os.environ, **cluster.slurm}
    subprocess.run([sys.executable, "-c", code], cwd=cluster.root, check=True, env=environment)
    assert {"Recording.mean 0": "COMPLETED", "Recording.double 0": "COMPLETED"} == cluster.ended()
    assert ["complete", "ready"] == [cluster.states()[f"{s} 1 mean"] for s in "ab"]


def test_operations_written_by_hand(cluster: Any) -> None:
    """Operations that are no steps are submitted as signac-flow does: one batch job for each."""
    more = (
        "\n@Lab.post.isfile('x')\n@Lab.operation\ndef by_hand(job):\n    open(job.fn('x'), 'w')\n"
    )
    cluster.make({"a_1": "1"}, more=more)
    cluster.does("submit")
    jobs = cluster.ended()
    assert {"COMPLETED"} == set(jobs.values())
    assert 4 == len(jobs)
    assert {"complete"} == set(cluster.states().values())


def test_too_many_to_go_unasked(cluster: Any) -> None:
    """More than a thousand tasks are submitted only if somebody says so."""
    cluster.make({"a_1": "1"}, more="\n    pass\n\nMany = 1001\n")
    code = "from project import *; Lab().add_product(Recording, session=['z'], index=range(501))"
    subprocess.run([sys.executable, "-c", code], cwd=cluster.root, check=True)
    for n in range(501):
        cluster.raw(f"z_{n}").write_text("1")
    done = cluster.call("submit", "--hold")
    assert 1 == done.returncode
    assert "Error: nothing was submitted: there is no terminal to ask at. Say --yes," in done.stderr
    assert {} == cluster.jobs()


@pytest.mark.skipif("POINTILLIST_LONG" not in os.environ, reason="takes more than a minute")
def test_time_limit(cluster: Any) -> None:
    """A task that takes longer than its walltime is failed, as the scheduler says."""
    cluster.make({"a_1": "linger"}, walltime="1m")
    cluster.does("submit", "-o", "mean")
    cluster.until("a 1 mean", "running")
    cluster.until("a 1 mean", "failed", seconds=150)
    assert cluster.tasks()["a 1 mean"][1].endswith(" ended on node: TIMEOUT (TimeLimit)")
    cluster.does("run", "-o", "double")
    (id,) = (path.name for path in (cluster.root / "workspace").iterdir())
    assert " interrupted " in cluster.does("history", "-j", id)
