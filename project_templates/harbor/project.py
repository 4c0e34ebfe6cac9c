"""Count the boats that come into a harbor, day by day and month by month."""

from __future__ import annotations

import datetime

import pandas as pd
from matplotlib.figure import Figure

import pointillist as pt


@pt.step
def leave_out_dinghies(boats: pd.DataFrame, limits: dict[str, float]) -> pd.DataFrame:
    """Give the boats that are long enough to count."""
    return boats[boats["length"] >= limits["shortest_boat"]]


@pt.step
def count_by_hour(boats: pd.DataFrame) -> pd.DataFrame:
    """Give the number of boats in each hour from the first to the last of the day."""
    hours = range(6, 21)
    numbers = boats["hour"].value_counts().reindex(hours, fill_value=0)
    return pd.DataFrame({"hour": list(hours), "boats": numbers.to_list()})


@pt.step
def mean_boats(count: pd.DataFrame) -> float:
    """Give the mean number of boats in an hour."""
    return float(count["boats"].mean())


@pt.step
def tabulate(dates: list[datetime.date], means: list[float]) -> pd.DataFrame:
    """Give a table with a row for each day."""
    return pd.DataFrame({"date": [date.isoformat() for date in dates], "mean": means})


@pt.step
def plot_month(days: pd.DataFrame, month: str) -> Figure:
    """Draw a bar for each day of the month."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    axes.bar([int(date[-2:]) for date in days["date"]], days["mean"], color="tab:blue")
    axes.set(
        title=f"Boats in {month}",
        xlabel="day of the month",
        ylabel="boats an hour (mean)",
        xlim=(0, 32),
    )
    return figure


class Day(pt.Record):
    """One day in the harbor."""

    date: datetime.date = pt.key()

    boats: pd.DataFrame = pt.seed("boats/{date}.csv")
    limits: dict[str, float] = pt.seed("parameters.json")  # one file for all days

    counted: pd.DataFrame = leave_out_dinghies.step(boats, limits).unstored()
    count: pd.DataFrame = count_by_hour.step(counted).to()
    mean: float = mean_boats.step(count).to()

    @property
    def month(self) -> str:
        """The month that the day lies in, such as 2026-01."""
        return f"{self.date:%Y-%m}"


class Month(pt.Aggregate[Day], order_by="date"):
    """The days of one month."""

    month: str = pt.key()

    days: pd.DataFrame = tabulate.step(pt.each(Day.date), pt.each(Day.mean)).to()
    chart: Figure = plot_month.step(days, month).to()


class Harbor(pt.Project):
    """All days of the harbor."""

    records = (Day, Month)


if __name__ == "__main__":
    Harbor().main()
