"""Five signac-flow projects do the same, and leave the same, with either import."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .comparison import FLOW, POINTILLIST, Bench, Line, Outcome, differences, opened


def unordered(words: str, environment: str = "StandardEnvironment") -> Line:
    """Give a command line that may print in any order.

    signac-flow works through aggregates of several kinds in the order of a set of theirs, which
    depends on where they lie in memory; and the workers of a pool print when they are done.
    """
    return Line(words, environment, unordered=True)


def slurm(words: str) -> Line:
    """Give a command line for Slurm."""
    return Line(words, "DefaultSlurmEnvironment")


def pbs(words: str) -> Line:
    """Give a command line for PBS."""
    return Line(words, "DefaultPBSEnvironment")


def lsf(words: str) -> Line:
    """Give a command line for LSF."""
    return Line(words, "DefaultLSFEnvironment")


def simple(words: str) -> Line:
    """Give a command line for signac-flow's own scheduler."""
    return Line(words, "SimpleSchedulerEnvironment")


SCENARIOS: dict[str, list[Line | str]] = {
    "polymers": [
        "status",
        "status -d -a --json",
        "next build",
        "next sample",
        "run --pretend",
        "run -o build -j {0} {1} --pretend",
        "run -o build -j {0} {1}",
        "status -d",
        "run --num 3",
        "run -n 2 -o touch",
        unordered("run -p 2 -o build -f N 16"),
        "run -o build equilibrate --order cyclic",
        "status -d -p N dt",
        "status -d -p sp.thermostat.kT doc.energy --param-max-width 6",
        "status -d -p -a",
        "status -e",
        "status -d -e",
        "status -d -a --only-incomplete-operations",
        "status -m 2",
        "status --eligible-jobs-max-lines 1",
        "status --full --no-overview",
        "status -d -a -o build s.*",
        "status -d -j {0} {3}",
        "status -d -f N 16",
        "status -d --output-format markdown",
        "status -d --output-format html",
        "run --ignore-conditions post -o build -j {0}",
        "run --ignore-conditions pre -o sample -f N 32 dt 0.01",
        "run --ignore-conditions all --pretend",
        "run -o sample --num-passes 2",
        "next sample",
        "run -f friction 0.5 --num-passes -1 -o equilibrate sample analyse",
        "run -f friction 0.5 --order cyclic",
        "run --order by-job",
        "run -o sample analyse --num-passes 3",
        "exec analyse {5}",
        "exec touch",
        "run -o analyse --ignore-conditions post -t 20 -f N 8 friction 1.0 dt 0.01",
        "run -o b.* --ignore-conditions post --order none",
        "run --progress",
        "run --switch-to-project-root",
        "status -d -a --json",
        "status",
        "run -o nonesuch",
        "next nonesuch",
        "exec nonesuch",
        "run -j feedfacecafe",
        "run -j {0} -f N 8",
        "run --order nonesuch",
        "status -d -a",
        "run",
    ],
    "plates": [
        "status -d -a --json",
        "run -o baseline --pretend",
        "run -o fit -j {0}",
        "run -o fit -f column 12",
        "status -d",
        "run -o baseline -f dye HEX",
        "run -o baseline fit -f row A",
        "run -o fit baseline -f row B",
        unordered("run -p 2 -o fit -f dye HEX --ignore-conditions post"),
        "run -o fit -t 20 --ignore-conditions post -j {1}",
        "run -o judge -f column 2",
        unordered("run -p 2 -o judge -f column 3"),
        "run -o judge -f column 1 row A",
        "run -o judge -f column 1 row A",
        "run -o stick",
        "run -o stick -f column 1 row A --ignore-conditions post",
        "exec judge {2}",
        "status -d -a --json",
        "status",
        "run -o baseline -f column 11",
        "run -o baseline -f column 11 -t 20",
        "status -d",
    ],
    "channels": [
        "status -d -a --json",
        "run --pretend",
        slurm("submit --pretend"),
        slurm("submit --pretend -o mesh -b 2"),
        slurm("submit --pretend -o mesh -b --job-output out-%j.log"),
        slurm("submit --pretend -o mesh --hold --after 17 -j {0} -- --exclusive"),
        slurm("submit --pretend --ignore-conditions pre"),
        slurm("submit --pretend --ignore-conditions all --ignore-conditions-on-execution post"),
        pbs("submit --pretend --ignore-conditions pre -o solve"),
        pbs("submit --pretend -b"),
        lsf("submit --pretend --ignore-conditions pre -o solve drag"),
        lsf("submit --pretend -b 3 -f Re 100"),
        simple("submit --pretend -b 2"),
        slurm("submit --pretend --template nonesuch.sh"),
        "submit --pretend",
        "run -o mesh -j {0} {1}",
        "exec mesh {2}",
        "run -o mesh -t 20",
        "run -o solve",
        slurm("submit --pretend"),
        slurm("status"),
        unordered("run -p 2 -o drag"),
        "run -o pressure -f cells 16",
        "run -o probe -f Re 100 cells 32",
        slurm("run -o pressure -f cells 32 --pretend"),
        "run -o pressure list_results -f Re 400 --num-passes 2",
        unordered("run -p 2 -o list_results"),
        "next list_results",
        "status -d -a --json",
        "status -d -p",
        "run -o upload -t 0.2",
        "run -o compile_solver --ignore-conditions pre -j {0}",
        "status",
    ],
    "stations": [
        "status -d -a --json",
        unordered("status -d -a"),
        unordered("run --pretend"),
        "next clean",
        "next yearly",
        "run -o clean --num 3",
        "run -o yearly",
        "run -o clean",
        unordered("status"),
        "next yearly",
        "run -o yearly -j {printed}",
        "next yearly",
        "exec yearly {printed}",
        "run -o yearly --ignore-conditions all --pretend",
        "run -o yearly",
        unordered("run -p 2 -o regional"),
        unordered("status -d -e"),
        "next alphabet",
        "run -o alphabet -t 20 -j {printed}",
        "run -o calibrate",
        "run -o calibrate --ignore-conditions post",
        "next lapse",
        slurm("submit --pretend -o lapse -b 2"),
        "run -o lapse --num 1",
        "run -o calibrate lapse --num-passes 2",
        "next lapse",
        slurm("submit --pretend -o concatenate"),
        pbs("submit --pretend -o regional --ignore-conditions post"),
        lsf("submit --pretend -o alphabet --ignore-conditions post -b"),
        unordered("submit --pretend", "DefaultSlurmEnvironment"),
        "run -o concatenate --pretend",
        "run -o concatenate",
        "run -o report --order cyclic",
        unordered("run --num-passes 2"),
        "exec clean {0}",
        "exec report",
        "run -j agg-nonesuch",
        "status -d -a --json",
        unordered("status -d --output-format markdown"),
        unordered("status -d --output-format html -o yearly lapse"),
        unordered("status -d --only-incomplete-operations"),
    ],
    "docking": [
        "status -d -a --json",
        unordered("status -d -a"),
        unordered("run --pretend"),
        slurm("submit --pretend -o refinement"),
        slurm("submit --pretend -o refinement -b 2 --ignore-conditions-on-execution pre"),
        lsf("submit --pretend -o refinement -b --ignore-conditions pre"),
        pbs("submit --pretend -o refinement dock"),
        "run -o prepare",
        slurm("submit --pretend -o refinement"),
        slurm("submit --pretend -o dock -b"),
        simple("submit --pretend -o checked --ignore-conditions all"),
        "run -o refinement --pretend",
        "run -o refinement",
        unordered("status -d"),
        "run -o refinement --num-passes 2 --num 5",
        "run -o refinement --num-passes -1",
        "run -o refinement dock",
        "run -o vary",
        "status -d -a --json",
        "next prepare",
        "run -o prepare refinement vary --num-passes 3",
        "next rank",
        "run -o per_target --pretend",
        "run -o per_target",
        slurm("submit --pretend -o per_target --ignore-conditions post"),
        "next check",
        "run -o checked -j {printed}",
        "run -o checked --pretend",
        unordered("run -p 2 -o check"),
        unordered("run --num-passes 2"),
        unordered("status"),
        unordered("status -d -o refinement per_.*"),
        "exec refinement",
        "status --full --json",
    ],
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Give the folder in which the projects are run."""
    with opened(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


@pytest.mark.parametrize("project", SCENARIOS)
def test_same_behaviour(bench: Bench, project: str) -> None:
    """Exit codes, output, scripts, status, files and documents are the same after each line."""
    with_flow = bench.live(project, FLOW, SCENARIOS[project])
    with_pointillist = bench.live(project, POINTILLIST, SCENARIOS[project])
    assert [] == differences(with_flow, with_pointillist)


def test_new_jobs_are_taken_up_in_the_same_run(bench: Bench) -> None:
    """One run prepares the jobs that an operation of it makes, as many with either import."""
    lines: list[Line | str] = [
        "run -o prepare refinement vary --num-passes 9",
        unordered("status -d -a"),
    ]
    with_flow = bench.live("docking", FLOW, lines)
    with_pointillist = bench.live("docking", POINTILLIST, lines)
    assert [] == differences(with_flow, with_pointillist)
    jobs = [name for name in with_flow[0].names if name.endswith("signac_statepoint.json")]
    poses = [name for name in with_flow[0].names if name.endswith("poses.txt")]
    assert len(jobs) > 4
    assert len(jobs) == len(poses)


def diverging(bench: Bench, imported: str, *flags: str) -> tuple[Outcome, Outcome, str]:
    """Solve channels of which the first diverges.

    Give what it did, the status after it, and the id of the one that diverged.
    """
    bench.lay_out("channels", imported)
    bench.run("run -o mesh")
    first = bench.run("next solve").out.partition("\n")[0]
    (bench.folder / "workspace" / first / "diverged").touch()
    solved = bench.run(" ".join(("run -o solve", *flags)))
    return solved, bench.run("status -d -a --json"), first


def solved_jobs(outcome: Outcome) -> set[str]:
    """Give the ids of the jobs that have been solved."""
    return {name.split("/")[1] for name in outcome.names if name.endswith("velocity.txt")}


def test_a_failure_ends_the_run_under_flow_only(bench: Bench) -> None:
    """The stated difference: the others are done, and the run exits with 1 all the same."""
    with_flow, flow_status, first = diverging(bench, FLOW)
    with_pointillist, pointillist_status, first_again = diverging(bench, POINTILLIST)
    assert first == first_again
    assert (1, 1) == (with_flow.code, with_pointillist.code)
    assert set() == solved_jobs(with_flow)
    assert set(json.loads(pointillist_status.out)) - {first} == solved_jobs(with_pointillist)
    assert 3 == len(solved_jobs(with_pointillist))
    changed = with_flow.names ^ with_pointillist.names
    assert {f"workspace/{id}/velocity.txt" for id in solved_jobs(with_pointillist)} == changed
    assert flow_status.printed[first] == pointillist_status.printed[first]


def test_fail_fast_is_the_old_way(bench: Bench) -> None:
    """With ``--fail-fast`` a run ends as signac-flow's does, and leaves the same."""
    with_flow, flow_status, _ = diverging(bench, FLOW)
    with_pointillist, pointillist_status, _ = diverging(bench, POINTILLIST, "--fail-fast")
    assert 1 == with_pointillist.code
    assert [] == differences([with_flow, flow_status], [with_pointillist, pointillist_status])


@pytest.mark.parametrize(
    ("old", "new", "aspect"),
    [
        ('print("built", job)', 'print("built")', "printed"),
        ('print("built", job)', "raise SystemExit(3)", "code"),
        ("job.sp.N - 1", "job.sp.N - 2", "melt.json"),
        ("json.dump(chain, file)", "json.dump(chain, file); job.doc.built = True", "documents"),
        ("json.dump(chain, file)", 'json.dump(chain, file); open("left.txt", "w")', "names"),
        ("job.sp.dt < 0.005", "job.sp.dt < 0.5", "printed"),
    ],
)
def test_the_comparison_notices(bench: Bench, old: str, new: str, aspect: str) -> None:
    """What one side does differently is found, and named."""
    lines: list[Line | str] = [
        "run -o build -j {0}",
        "run -o equilibrate -j {0}",
        "status -d -a --json",
    ]
    before = bench.live("polymers", FLOW, lines)
    assert [] == differences(before, bench.live("polymers", FLOW, lines))
    found = differences(before, bench.live("polymers", FLOW, lines, (old, new)))
    assert any(aspect in text.partition("\n")[0] for text in found)
