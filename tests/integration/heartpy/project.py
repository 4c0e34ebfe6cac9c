"""Heart rates from the recordings that HeartPy ships, with HeartPy's own analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import pointillist as pt

DATETIME = "%Y-%m-%d %H:%M:%S.%f"


@pt.step
def find_rate(table: Path, known: dict[str, float], name: str) -> float:
    """Give the samples a second: as the clock in the table says, or as is known of it."""
    import heartpy

    header = table.open(encoding="utf-8").readline().strip().split(",")
    if "timer" in header:
        return float(
            heartpy.get_samplerate_mstimer(heartpy.get_data(str(table), column_name="timer"))
        )
    if "datetime" in header:
        times = heartpy.get_data(str(table), column_name="datetime")
        return float(heartpy.get_samplerate_datetime(times, timeformat=DATETIME))
    return known[name]


@pt.step
def analyse(table: Path, rate: float) -> dict[str, Any]:
    """Let HeartPy find the beats, and measure what follows from them."""
    import heartpy

    column = "hr" if "hr" in table.open(encoding="utf-8").readline() else "None"
    working, measures = heartpy.process(heartpy.get_data(str(table), column_name=column), rate)
    return {
        "beats": np.asarray(working["peaklist"]),
        "measures": {name: float(value) for name, value in measures.items()},
    }


@pt.step
def tabulate(
    names: list[str],
    rates: list[float],
    measures: list[dict[str, float]],
    signals: list[dict[str, Any]],
) -> pd.DataFrame:
    """Give a row for each recording: HeartPy's measures beside MATLAB's numbers."""
    rows = zip(names, rates, measures, signals, strict=True)
    return pd.DataFrame(
        [{"name": n, "rate": r, **measured, **signal} for n, r, measured, signal in rows]
    )


@pt.step
def plot_rates(hearts: pd.DataFrame, beats: list[Any], rates: list[float]) -> Figure:
    """Draw the heart rate of each recording over time, from beat to beat."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    for name, found, rate in zip(hearts["name"], beats, rates, strict=True):
        axes.plot(found[1:] / rate, 60 * rate / np.diff(found), label=name, linewidth=1)
    axes.set(xlabel="time (s)", ylabel="heart rate (beats/min)", ylim=(0, 200))
    axes.legend(frameon=False)
    return figure


class Heart(pt.Record):
    """One recording of a heart, as a table and as a MAT file."""

    name: str = pt.key()

    table: Path = pt.seed("hearts/{name}.csv")
    mat: Path = pt.seed("hearts/{name}.mat")
    known: dict[str, float] = pt.seed("rates.json")

    rate: float = find_rate.step(table, known, name).to()
    analysis = analyse.step(table, rate)
    beats: np.ndarray = analysis.output("beats").to()
    measures: dict[str, float] = analysis.output("measures").to()
    signal: dict[str, Any] = pt.matlab("describeSignal", mat, "hr", 1.5).to()

    @property
    def source(self) -> str:
        """Where the recording comes from."""
        return "HeartPy"


class Study(pt.Aggregate[Heart]):
    """All recordings from one source."""

    source: str = pt.key()

    hearts: pd.DataFrame = tabulate.step(
        pt.each(Heart.name), pt.each(Heart.rate), pt.each(Heart.measures), pt.each(Heart.signal)
    ).to()
    rates: Figure = plot_rates.step(hearts, pt.each(Heart.beats), pt.each(Heart.rate)).to()


class Clinic(pt.Project):
    """All recordings of hearts."""

    records = (Heart, Study)


if __name__ == "__main__":
    Clinic().main()
