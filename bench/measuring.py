"""Interleaved measurement, and tables that show what came out beside what was aimed at."""

import statistics
import subprocess


class Unavailable(Exception):
    """A measurement that cannot be made here; the message says why."""


def run(argv, **options):
    """Runs a program to its end, without input; gives the completed process, whose status is not checked."""
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 600} | options
    return subprocess.run([str(word) for word in argv], check=False, **options)


def interleaved(rounds, arms, measure):
    """Calls measure(arm) for each arm, all arms once a round and each round beginning with another one.

    Gives ({arm: results by round}, {arm: why it cannot be measured}).
    """
    results, failed = {arm: [] for arm in arms}, {}
    for number in range(rounds):
        first = number % len(arms)
        for arm in arms[first:] + arms[:first]:
            if arm in failed:
                continue
            try:
                results[arm].append(measure(arm))
            except Unavailable as error:
                failed[arm] = str(error)
                del results[arm]
    return results, failed


def needs(arm, failed):
    """Raises Unavailable where the arm failed that the others are compared with."""
    if arm in failed:
        raise Unavailable(f"{arm}: {failed[arm]}")


def median(values):
    return statistics.median(values)


def spread(values, form="{:.3g}"):
    """The median, and in brackets the first and the third quartile."""
    if len(values) < 2:
        return form.format(values[0])
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return f"{form.format(median(values))} ({form.format(first)} to {form.format(third)})"


def ratios(values, to):
    """Round by round: what disturbs a round disturbs both."""
    return [value / other for value, other in zip(values, to)]


class Goal:
    """A bound on a measured value."""

    def __init__(self, text, holds):
        self.text = text
        self._holds = holds

    def verdict(self, value):
        return "met" if self._holds(value) else "not met"


def below(limit, unit=""):
    return Goal(f"< {limit}{unit}", lambda value: value < limit)


def at_most(limit, unit=""):
    return Goal(f"<= {limit}{unit}", lambda value: value <= limit)


def at_least(limit, unit=""):
    return Goal(f">= {limit}{unit}", lambda value: value >= limit)


class Table:
    def __init__(self, title, *columns):
        self._title = title
        self._columns = columns
        self._rows = []
        self._has_goals = False
        self._notes = []

    def row(self, *cells, goal=None, value=None):
        verdict = (goal.text, goal.verdict(value)) if goal else ()
        self._has_goals = self._has_goals or goal is not None
        self._rows.append([str(cell) for cell in cells] + list(verdict))

    def unavailable(self, *cells):
        """A row whose last cell is the reason why there is no more to it."""
        self._rows.append([*map(str, cells[:-1]), f"not measured: {cells[-1]}"])

    def note(self, text):
        self._notes.append(text)

    def print(self):
        header = [*self._columns, *(["goal", "verdict"] if self._has_goals else [])]
        # The last cell of a row that is short is its reason, and may be of any length.
        rows = [header] + [row if len(row) >= len(self._columns) else row[:-1] for row in self._rows]
        widths = [max(len(row[at]) for row in rows if at < len(row)) for at in range(len(header))]
        print(f"\n{self._title}")
        for row in [header, ["-" * width for width in widths], *self._rows]:
            print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        for note in self._notes:
            print(f"  {note}")
