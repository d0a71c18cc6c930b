"""The printed table."""

from collections.abc import Iterator
from statistics import median

from benchmarks.measuring import Result

HEADER = (
    f"{'benchmark':13} {'what':34} {'rate/s':>9} {'against':>10} {'ratio':>6} {'min..max':>13} {'target':>7}"
)


def lines_of(result: Result) -> Iterator[str]:
    """A line for each rival, one for each limit, and one for each figure of each contender."""
    benchmark = result.benchmark
    start = f"{benchmark.name:13} {benchmark.title:34} {_rate(result):>9}"
    rivals = [name for name in result.outcomes if name != benchmark.subject]
    for rival in rivals:
        ratios = result.ratios(rival)
        spread = f"{min(ratios):.2f}..{max(ratios):.2f}"
        verdict = ""
        if benchmark.target is not None and rival == rivals[0]:
            holds = median(ratios) >= benchmark.target
            verdict = f"{benchmark.target:7.2f}  {'holds' if holds else 'MISSED'}"
        yield f"{start} {rival:>10} {median(ratios):6.2f} {spread:>13} {verdict}".rstrip()
        start = " " * len(start)
    for what, most in benchmark.limits:
        value = result.middle(benchmark.subject, what)
        assert value is not None
        verdict = f"< {most:g}  {'holds' if value < most else 'MISSED'}"
        yield f"{start} {what:>11} {value:6.2f} {'':>12} {verdict}"
        start = " " * len(start)
    if not rivals and not benchmark.limits:
        yield start
    for what in benchmark.figures:
        figures = ((contender, result.middle(contender, what)) for contender in result.outcomes)
        shown = [f"{contender} {value:.4g}" for contender, value in figures if value]
        yield f"{'':13} {what}: {', '.join(shown) or 'none'}"


def _rate(result: Result) -> str:
    records = result.middle(result.benchmark.subject, "records")
    seconds = result.middle(result.benchmark.subject, "seconds")
    if not records or not seconds or records < 10_000:
        return ""
    rate = records / seconds
    return f"{rate / 1e6:.2f} M" if rate >= 1e6 else f"{rate / 1e3:.0f} k"
