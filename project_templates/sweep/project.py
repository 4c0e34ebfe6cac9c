"""Let a small magnet of spins forget its order as it gets warmer, and compare with the theory."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import pointillist as pt

SIZE = 24  # spins along a side
SWEEPS = 600  # times that every spin is looked at
CRITICAL = 2 / np.log(1 + np.sqrt(2))  # the temperature at which the order is lost


@pt.step
def simulate(temperature: float, replica: int) -> np.ndarray:
    """Give the magnetisation after each sweep of a square lattice (Ising model, J = k = 1).

    Of each spin and its four neighbours the energy that turning it would cost decides, after
    Metropolis, whether it turns. Every other spin is done at once, like the squares of a
    chessboard, as no two of a colour are neighbours.
    """
    random = np.random.default_rng([replica, round(1000 * temperature)])
    spins = np.ones((SIZE, SIZE))
    black = np.indices(spins.shape).sum(axis=0) % 2 == 0
    magnetisation = np.empty(SWEEPS)
    for sweep in range(SWEEPS):
        for colour in (black, ~black):
            around = sum(np.roll(spins, way, axis) for way in (1, -1) for axis in (0, 1))
            cost = 2 * spins * around
            turns = colour & (random.random(spins.shape) < np.exp(-cost / temperature))
            spins[turns] *= -1
        magnetisation[sweep] = spins.mean()
    return magnetisation


@pt.step
def describe(magnetisation: np.ndarray) -> float:
    """Give the mean absolute magnetisation, without the first half, in which it settles."""
    return float(np.abs(magnetisation[SWEEPS // 2 :]).mean())


@pt.step
def average(values: list[float]) -> dict[str, float]:
    """Give the mean of the replicas and its standard error."""
    return {
        "mean": float(np.mean(values)),
        "error": float(np.std(values, ddof=1) / np.sqrt(len(values))),
    }


@pt.step
def plot_means(temperatures: list[float], averages: list[dict[str, float]]) -> Figure:
    """Draw the means with their errors, and Yang's solution for a lattice without end."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    below = np.linspace(1.0, CRITICAL, 400)[:-1]
    exact = (1 - np.sinh(2 / below) ** -4) ** 0.125  # C. N. Yang, Phys. Rev. 85 (1952) 808
    axes.plot(
        [*below, CRITICAL, 4], [*exact, 0, 0], color="tab:gray", label="theory, endless lattice"
    )
    means = [found["mean"] for found in averages]
    errors = [found["error"] for found in averages]
    axes.errorbar(
        temperatures, means, errors, fmt="o", color="tab:blue", label=f"{SIZE} x {SIZE} spins"
    )
    axes.set(xlabel="temperature (J/k)", ylabel="magnetisation of a spin", xlim=(1.4, 3.6))
    axes.legend(frameon=False)
    return figure


class Run(pt.Record):
    """One simulation."""

    temperature: float = pt.key()
    replica: int = pt.key()

    magnetisation: np.ndarray = simulate.step(temperature, replica).to()
    order: float = describe.step(magnetisation).to()


class Temperature(pt.Aggregate[Run], order_by="replica"):
    """The replicas at one temperature."""

    temperature: float = pt.key()

    average: dict[str, float] = average.step(pt.each(Run.order)).to()


class Magnet(pt.Aggregate[Temperature], order_by="temperature"):
    """All temperatures: without a key there is one."""

    means: Figure = plot_means.step(
        pt.each(Temperature.temperature), pt.each(Temperature.average)
    ).to()


class Sweep(pt.Project):
    """All simulations."""

    records = (Run, Temperature, Magnet)


if __name__ == "__main__":
    Sweep().main()
