"""Progress of a run, which moves with the clock of the sandbox."""

from collections.abc import Callable, Sequence
from itertools import accumulate

from gateway.sandbox.data.model import Outcome

_STEP_SECONDS = 2.0
_PAUSE_STEPS = 10


class Progress:
    """The course of a run towards the given outcomes.

    Every two seconds one more task result is done, user by user; a third is done in the beginning.
    Before the last result it stands still for a while, so that the run stays in progress, then it
    begins anew. `elapsed` tells the seconds since the start. Results that end up canceled take no
    time: the failure before them cancels them.
    """

    def __init__(self, outcomes: Sequence[Outcome], elapsed: Callable[[], float]) -> None:
        executed = [len(outcome) - outcome.count("canceled") for outcome in outcomes]
        self.before = [0, *accumulate(executed)]
        self.last = max(self.before[-1] - 1, 0)
        self.elapsed = elapsed

    def done(self) -> int:
        """Return the number of task results that are completed or failed by now."""
        step = int(self.elapsed() / _STEP_SECONDS) + self.last // 3
        return min(step % (self.last + _PAUSE_STEPS), self.last)

    def outcome(self, user: int, final: Outcome) -> Outcome:
        """Return the statuses of a user's task results by now, which end up as `final`."""
        done = self.done() - self.before[user]
        executed = self.before[user + 1] - self.before[user]
        if done >= executed:
            return final
        if done < 0:
            return ("queued",) * len(final)
        return (*final[:done], "inProgress", *("queued",) * (len(final) - done - 1))
