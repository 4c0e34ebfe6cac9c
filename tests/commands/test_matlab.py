"""MATLAB calls, carried out by GNU Octave, also behind the command line of ``matlab -batch``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from pointillist.commands.matlab import (
    MatlabCall,
    Program,
    find_program,
    our_folder,
    prepare,
    result,
)
from pointillist.commands.process import run
from pointillist.errors import (
    ConfigurationError,
    DeclarationError,
    FormatError,
    ProgramNotFound,
)

STAND_IN = Path(__file__).parent / "stand_in" / "matlab"

FUNCTIONS = {
    "writeNames.m": (
        "function writeNames(out, varargin)\n f = fopen(out, 'w');\n"
        " fprintf(f, '%s\\n', varargin{:});\n fclose(f);\nend"
    ),
    "giveBack.m": "function x = giveBack(x)\nend",
    "jobData.m": "function j = jobData()\n j = pointillist.job();\nend",
    "failing.m": (
        "function failing(x)\n disp('before');\n deeper(x);\nend\n"
        "function deeper(x)\n error('lab:bad', 'no good: %s', x);\nend"
    ),
    "nothing.m": "function nothing()\nend",
    "handle.m": "function x = handle()\n x = {1, @sin};\nend",
    "leaving.m": "function leaving()\n exit(5);\nend",
    "broken.m": "function broken(\n x = 1;\nend",
    "+lab/inside.m": "function x = inside(y)\n x = y + 1;\nend",
    "values.m": (
        "function v = values()\n"
        " v = struct('cell', {{1, 'a'; [], {}}}, 'col', [1; 2], 'logical', [true false]);\n"
        " v.one = true; v.huge = intmax('uint64');\n"
        " v.complex = [1 + 2i, -Inf]; v.i = complex(0, Inf);\n"
        " v.text = native2unicode(uint8([103 114 195 188]), 'UTF-8'); v.rows = ['ab '; 'cd '];\n"
        " v.empty = ''; v.none = []; v.wide = zeros(0, 3); v.single = single(0.1);\n"
        " v.structs = struct('a', {1, 2}); v.zero = char([97 0]); v.cube = ones(2, 2, 2);\n"
        " v.sparse = sparse([0 1; 2 0]); v.bytes = int8([1 2; 3 4]); v.spaces = ' a  ';\n"
        " v.a_name_of_forty_characters_that_is_legal = 5; v.minus = -0; v.tenth = 0.1;\n"
        "end"
    ),
}


class Ended(NamedTuple):
    """How a call ended."""

    code: int
    log: str
    folder: Path


Caller = Callable[..., Ended]


@pytest.fixture(scope="module")
def matlab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of functions, in a place with an odd name."""
    folder = tmp_path_factory.mktemp("user's ünï; %d")
    for name, text in FUNCTIONS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(params=["octave-cli", "matlab"])
def program(request: pytest.FixtureRequest) -> Program:
    """Give GNU Octave, and the stand-in for MATLAB."""
    return find_program(str(STAND_IN) if request.param == "matlab" else "octave-cli")


@pytest.fixture
def octave() -> Program:
    """Give GNU Octave."""
    return find_program("octave-cli")


@pytest.fixture
def call(tmp_path: Path, matlab_folder: Path) -> Caller:
    """Carry out one call in a control folder with an odd name."""

    def carry_out(
        program: Program,
        function: str,
        *args: Any,
        nargout: int = 0,
        job: Mapping[str, Any] | None = None,
        search_path: Sequence[Path] = (matlab_folder,),
    ) -> Ended:
        folder = tmp_path / "con'trol\n ü: %"
        folder.mkdir()
        argv, env = prepare(
            program,
            MatlabCall(function, args, nargout),
            folder=folder,
            search_path=search_path,
            job=job or {},
        )
        log = folder / "log"
        done = run(argv, cwd=tmp_path, env=env, log=log)
        return Ended(done.code, log.read_text(), folder)

    return carry_out


def test_file_names_stay_data(program: Program, call: Caller, tmp_path: Path) -> None:
    """Names meant to break out reach the function as they are, whatever starts it."""
    names = ["'; rm -rf ~", "a%b", 'say "hi"', "-rf", "grüße 😀", "$HOME", "b\\n", " ", "\udce9"]
    paths = [tmp_path / name for name in names]
    out = tmp_path / "it's\nout; %ü.txt"
    assert (0, "") == call(program, "writeNames", out, *paths)[:2]
    expected = "".join(f"{path}\n" for path in paths)
    assert expected == out.read_text(encoding="utf-8", errors="surrogateescape")


def test_a_thousand_files_are_no_problem(octave: Program, call: Caller, tmp_path: Path) -> None:
    """A call is longer than a command line may be."""
    paths = [tmp_path / f"{'long' * 20}_{number}.bin" for number in range(2000)]
    assert (0, "") == call(octave, "writeNames", tmp_path / "out", *paths)[:2]
    assert [str(path) for path in paths] == (tmp_path / "out").read_text().splitlines()


def test_return_values_come_back_exactly(program: Program, call: Caller) -> None:
    """Each class of MATLAB has its counterpart, down to the last bit."""
    ended = call(program, "values", nargout=1)
    assert (0, "") == ended[:2]
    value = result(ended.folder)
    arrays = {
        "col": np.array([1.0, 2.0]),
        "logical": np.array([True, False]),
        "complex": np.array([1 + 2j, -np.inf]),
        "none": np.zeros(0),
        "wide": np.zeros((0, 3)),
        "bytes": np.array([[1, 2], [3, 4]], dtype="int8"),
        "cube": np.ones((2, 2, 2)),
    }
    for name, expected in arrays.items():
        found = value.pop(name)
        assert expected.dtype == found.dtype, name
        np.testing.assert_array_equal(expected, found, err_msg=name)
    assert [[0, 1], [2, 0]] == value.pop("sparse").toarray().tolist()
    cell = value.pop("cell")
    assert [[1.0, "a"], [0, []]] == [cell[0], [cell[1][0].size, cell[1][1]]]
    assert "-0.0" == str(value.pop("minus"))
    assert {
        "one": True,
        "huge": 2**64 - 1,
        "i": complex(0, float("inf")),
        "text": "grü",
        "rows": ["ab ", "cd "],
        "empty": "",
        "single": float(np.float32(0.1)),
        "structs": [{"a": 1.0}, {"a": 2.0}],
        "zero": "a\0",
        "spaces": " a  ",
        "a_name_of_forty_characters_that_is_legal": 5.0,
        "tenth": 0.1,
    } == value


@pytest.mark.parametrize("value", ["ü" * 3, ["a", "ü", ["b"]], {"a": {"b": "€"}}, 2**60, True])
def test_a_value_makes_the_round_trip(octave: Program, call: Caller, value: Any) -> None:
    """What goes in as a literal comes out as it was."""
    ended = call(octave, "giveBack", value, nargout=1)
    assert value == result(ended.folder)


def test_job_gives_exact_data(program: Program, call: Caller) -> None:
    """State point, document and paths are the same inside MATLAB, to the last bit."""
    job = {
        "id": "3f2a",
        "statepoint": {
            "session": "ä'; x",
            "index": 3,
            "rate": 0.1,
            "nested": {"deep": {"x": -0.0}},
        },
        "document": {
            "members": ["a", "b"],
            "big": 2**53 + 1,
            "flag": True,
            "no": None,
            "a b": 1,
            "rows": [{"n": [1, 2]}, {"m": "x"}],
        },
        "paths": {"job": Path("/data/it's"), "raw": ["/a", "/b"]},
    }
    ended = call(program, "jobData", nargout=1, job=job)
    assert (0, "") == ended[:2]
    found = result(ended.folder)
    assert 0 == found["document"].pop("no").size
    assert [1, 2] == found["document"]["rows"][0]["n"].tolist()
    assert "-0.0" == str(found["statepoint"]["nested"]["deep"]["x"])
    found["document"]["rows"][0]["n"] = [1, 2]
    assert {
        "id": "3f2a",
        "statepoint": {"session": "ä'; x", "index": 3, "rate": 0.1, "nested": {"deep": {"x": 0}}},
        "document": {
            "members": ["a", "b"],
            "big": 2**53 + 1,
            "flag": True,
            "a_b": 1,
            "rows": [{"n": [1, 2]}, {"m": "x"}],
        },
        "paths": {"job": "/data/it's", "raw": ["/a", "/b"]},
    } == found


def test_job_outside_of_a_step_says_so(octave: Program, tmp_path: Path) -> None:
    """Without a job the error says where the function works."""
    statement = f"addpath('{our_folder()}'); pointillist.job()"
    argv = [str(octave.path), "-qf", "--no-history", "--eval", statement]
    done = run(argv, cwd=tmp_path, env={"POINTILLIST_JOB": ""}, log=tmp_path / "log")
    assert 1 == done.code
    assert "there is no job here" in (tmp_path / "log").read_text()


def test_a_missing_function_is_named_with_the_folders(
    program: Program, call: Caller, matlab_folder: Path
) -> None:
    """The log says which function, where it was looked for and what to do."""
    code, log, _ = call(program, "computeStatz", 1)
    assert 1 == code
    assert "there is no function computeStatz. Put a file computeStatz.m into" in log
    assert f"Searched:\n  {matlab_folder}\n" in log


def test_a_missing_function_of_a_package_is_named(octave: Program, call: Caller) -> None:
    """The same holds for a name with a package, and without folders."""
    code, log, _ = call(octave, "lab.missing", search_path=[])
    assert 1 == code
    assert "there is no function lab.missing" in log
    assert "Searched: only the functions of the program itself" in log


def test_a_function_of_a_package_runs(octave: Program, call: Caller) -> None:
    """``package.function`` is called like any other."""
    assert 4 == result(call(octave, "lab.inside", 3, nargout=1).folder)


def test_an_error_shows_message_and_stack(program: Program, call: Caller) -> None:
    """The log has what was printed before, the message, and the user's own functions."""
    code, log, folder = call(program, "failing", "ü", nargout=0)
    assert 1 == code
    assert "before\nerror: no good: ü\n" in log
    assert "in failing, line 3" in log
    assert "driver" not in log
    with pytest.raises(FormatError, match="no return value"):
        result(folder)


@pytest.mark.parametrize(
    ("function", "nargout", "message"),
    [
        ("nothing", 1, "too many outputs"),
        ("handle", 1, "the return value holds a function_handle; return numbers"),
        ("broken", 0, "parse error"),
    ],
)
def test_what_cannot_work_is_an_error(
    octave: Program, call: Caller, function: str, nargout: int, message: str
) -> None:
    """No return value, one that cannot be stored, a file that is no code: exit 1 and a reason."""
    code, log, _ = call(octave, function, nargout=nargout)
    assert 1 == code
    assert message in log


def test_an_exit_code_of_the_function_is_kept(program: Program, call: Caller) -> None:
    """A function that leaves with a code of its own is taken at its word."""
    assert 5 == call(program, "leaving").code


def test_the_users_folder_comes_first(octave: Program, call: Caller, tmp_path: Path) -> None:
    """Of two functions of one name, the one in the first folder runs."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "which_one.m").write_text(
            f"function x = which_one()\n x = '{name}';\nend"
        )
    ended = call(octave, "which_one", nargout=1, search_path=[tmp_path / "two", tmp_path / "one"])
    assert "two" == result(ended.folder)


def test_a_damaged_return_value_is_reported(tmp_path: Path) -> None:
    """A file that is no MAT file is a FormatError that names it."""
    (tmp_path / "pointillist_result.mat").write_bytes(b"x" * 200)
    with pytest.raises(FormatError, match=r"pointillist_result\.mat cannot be read"):
        result(tmp_path)


def test_the_statement_is_short_and_plain(octave: Program, tmp_path: Path) -> None:
    """Nothing of a call is on the command line."""
    call = MatlabCall("f", ("ü\n",), 0)
    program = Program(Path("/opt/matlab"), "matlab")
    argv, env = prepare(program, call, folder=tmp_path, search_path=[], job={})
    assert ["/opt/matlab", "-batch"] == argv[:-1]
    assert argv[-1].isascii()
    assert len(argv[-1]) < 100
    assert {"POINTILLIST_MATLAB", "POINTILLIST_JOB"} == set(env)
    assert (tmp_path / "pointillist_call.m").read_text("ascii").isascii()


@pytest.mark.parametrize("name", ["f-x", "a b", "../f", "f(1)", "", "1f", "a..b"])
def test_a_name_that_is_no_function_is_refused(octave: Program, tmp_path: Path, name: str) -> None:
    """Only names are called; code is not."""
    with pytest.raises(DeclarationError, match="no name of a MATLAB function"):
        prepare(octave, MatlabCall(name, (), 0), folder=tmp_path, search_path=[], job={})


def test_a_folder_that_cannot_be_on_the_path_is_refused(octave: Program, tmp_path: Path) -> None:
    """A colon separates folders on MATLAB's path, so a folder cannot have one."""
    with pytest.raises(ConfigurationError, match='contains ":"'):
        prepare(
            octave, MatlabCall("f", (), 0), folder=tmp_path, search_path=[tmp_path / "a:b"], job={}
        )


def test_job_data_without_counterpart_is_named(octave: Program, tmp_path: Path) -> None:
    """The error names the entry, not just the value."""
    job = {"document": {"x": {"y": 2**70}}}
    with pytest.raises(DeclarationError, match=r"cannot give info\.document\.x\.y"):
        prepare(octave, MatlabCall("f", (), 0), folder=tmp_path, search_path=[], job=job)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder that is all of PATH."""
    folder = tmp_path / "MATLAB" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str) -> Path:
    """Put a program into a folder."""
    return Path(shutil.copy(STAND_IN, folder / name))


def test_programs_are_found_in_order(programs: Path) -> None:
    """The choice, the configuration's, matlab, octave-cli."""
    octave = install(programs, "octave-cli")
    assert Program(octave, "octave") == find_program()
    matlab = install(programs, "matlab")
    assert Program(matlab, "matlab") == find_program()
    other = install(programs, "GNU-Octave-9")
    assert Program(other, "octave") == find_program(configured="GNU-Octave-9")
    assert Program(matlab, "matlab") == find_program(str(matlab), configured=str(other))


def test_no_program_at_all_says_what_to_install(programs: Path) -> None:
    """The error says what was looked for, and is a FileNotFoundError."""
    with pytest.raises(ProgramNotFound, match=r"neither matlab nor octave-cli.*apt-get.*--matlab"):
        find_program()


def test_a_named_program_that_is_missing_is_not_replaced(programs: Path) -> None:
    """A wrong choice is an error, even when another program is there; so it is for a folder."""
    install(programs, "octave-cli")
    with pytest.raises(ProgramNotFound, match='"matlab-r2031", named by --matlab'):
        find_program("matlab-r2031")
    with pytest.raises(ProgramNotFound, match="named by the configuration"):
        find_program(configured=str(programs))


def test_versions_are_told_without_starting_matlab(octave: Program, programs: Path) -> None:
    """Octave is asked; MATLAB's is read from its folder, also behind a link; else it is unknown."""
    assert octave.version().startswith("GNU Octave, version ")
    program = install(programs, "matlab")
    assert "unknown" == find_program().version()
    (programs / "link").symlink_to(program)
    (programs.parent / "VersionInfo.xml").write_text(
        "<MathWorks_version_info>\n<version>9.7.0.1190202</version>\n<release>R2019b</release>\n"
        "</MathWorks_version_info>"
    )
    assert "MATLAB R2019b 9.7.0.1190202" == find_program("link").version()
