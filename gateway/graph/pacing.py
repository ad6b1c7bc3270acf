"""The rate at which one credential may ask: as it likes, until the service throttles it.

From its first 429 on a credential has a rate, which adds and multiplies like that of TCP (AIMD,
RFC 5681): more for each request that is accepted, less by the part that is throttled, where that is
more than a few. Items of a `$batch` count each, as the service counts them
(graph-lifecycle-api.md, section 7, "$batch"). After a time without a 429 the rate is forgotten.
"""

import random
from collections import OrderedDict

QUIET = 60.0
"""Seconds without a 429 after which a credential is no longer paced."""
_FIRST_DECREASE, _DECREASE = 0.85, 0.7
_TOO_FAST = 0.08
"""Part of the requests that may be throttled before the rate is taken to be too high by as much: a
few 429s have other reasons, and would slow a credential down to nothing."""
_MOST_NOISE = 0.2
_SAME = 0.6
"""Where more than this part of a throttled share is left after a decrease that should have ended
it, the share, if it is not large, has other reasons; so much is put up with from then on."""
_ENOUGH = 80
"""The number of requests that must have been seen for that."""
_MEMORY = 40.0
"""The number of requests over which that part is reckoned, about."""
_INCREASE, _MOST_INCREASE = 0.05, 0.25
"""Part of the rate that is added to it in the first second after a decrease in which it is used up;
in the second one twice as much, and so on."""
_START = 0.2
"""The same before the first decrease: what was measured then may be far too slow."""
_FIRST_RATE, _SLOWEST = 20.0, 0.5
_BURST = 0.25
"""Seconds whose requests may go at once."""
_JITTER, _MOST_JITTER = 0.1, 1.0
_BACK_OFF, _MOST_BACK_OFF = 0.1, 30.0


class Pace:
    """The pace of one credential. Times are seconds of one clock, given by whoever asks.

    Attributes:
        accepted: requests that the service has answered with anything but 429, in all.
        until: no request may be sent before this time.
        round: counts the decreases, so that answers to requests of before one don't cause another.
    """

    __slots__ = (
        "_at",
        "_before",
        "_calm",
        "_count",
        "_failures",
        "_noise",
        "_random",
        "_rate",
        "_seen",
        "_share",
        "_suspected",
        "_throttled",
        "_tokens",
        "_window",
        "accepted",
        "round",
        "until",
    )

    def __init__(self, chance: random.Random) -> None:
        self._random = chance
        self._rate: float | None = None
        self._tokens = self._at = self._throttled = 0.0
        self._share = self._noise = self._suspected = 0.0
        self._seen = 0
        self._calm: float | None = None
        self._failures = 0
        self._window, self._count, self._before = 0.0, 0, 0
        self.until = 0.0
        self.accepted = self.round = 0

    @property
    def limited(self) -> bool:
        """Whether requests are held back; up to date once `opens` was asked."""
        return self._rate is not None

    def portion(self, requests: int) -> int:
        """The number of requests, of so many, that may go in one `$batch`."""
        if self._rate is None:
            return requests
        return min(requests, int(self._burst(self._rate)))

    def opens(self, requests: int, now: float) -> float:
        """The time from which so many requests (`portion`) may be sent; past, if at once."""
        if self._rate is None:
            return 0.0
        if now - max(self._throttled, self.until) > QUIET:
            self._rate = None
            return 0.0
        self._refill(now)
        lacking = self.portion(requests) - self._tokens
        return self.until if lacking <= 1e-9 else max(self.until, self._at + lacking / self._rate)

    def sent(self, requests: int, now: float) -> None:
        """Note that requests are sent."""
        if self._rate is not None:
            self._refill(now)
            self._tokens -= requests

    def answered(
        self, accepted: int, throttled: int, after: float | None, round_: int, now: float
    ) -> None:
        """Note an answer.

        Args:
            accepted: its requests that were answered with anything but 429.
            throttled: those that were answered 429.
            after: the longest Retry-After of these, in seconds; ``None`` if there was none.
            round_: the `round` in which they were sent.
            now: the time.
        """
        requests = accepted + throttled
        if requests and round_ == self.round:
            self._seen += requests
            weight = requests / (requests + _MEMORY)
            self._share += weight * (throttled / requests - self._share)
        if accepted:
            self._measure(accepted, now)
            self.accepted += accepted
            self._failures = 0
            if self._rate is not None and round_ == self.round and not throttled:
                self._rate += self._growth(now) * accepted
        if throttled:
            self._slow_down(throttled, after, round_, now)

    def _growth(self, now: float) -> float:
        """Part of the rate by which it grows in a second."""
        if self._calm is None:
            return _START
        # Bolder with time: what was right a minute ago may be far too slow now.
        return min(_MOST_INCREASE, _INCREASE * max(0.0, now - self._calm))

    def _slow_down(self, throttled: int, after: float | None, round_: int, now: float) -> None:
        if self._rate is None:
            self._rate = max(_FIRST_RATE, self._measured(now) * _FIRST_DECREASE)
            self._calm = None
            self._next_round()
        elif round_ == self.round and self._share > self._noise + _TOO_FAST:
            # Where nothing is accepted at all, a lower rate would change nothing.
            if self._failures == 0:
                self._judge(now)
            self._next_round()
        if now > self.until:
            self._failures += 1
        if after is None:
            after = min(_MOST_BACK_OFF, _BACK_OFF * 2.0**self._failures)
            after *= self._random.uniform(0.5, 1.0)
        else:
            # Other processes may wait for the same moment.
            after += self._random.uniform(0.0, min(_MOST_JITTER, _JITTER * after))
        self._throttled = now
        self.until = max(self.until, now + after)
        # No more than can have become free; and where nothing was accepted, one finds out.
        free = self._rate * after if self._failures < 2 else 1.0
        self._tokens = max(1.0, min(self._burst(self._rate), free))
        self._at = self.until

    def _judge(self, now: float) -> None:
        """Decrease the rate, unless that was seen to change nothing."""
        assert self._rate is not None  # noqa: S101 - who calls has checked
        kept = max(_DECREASE, 1.0 - self._share)
        same = _SAME * self._suspected < self._share < _MOST_NOISE
        if self._suspected and same and self._seen > _ENOUGH:
            self._noise, self._suspected = self._share, 0.0
            self._rate /= kept
            return
        self._suspected = self._share if self._share < _MOST_NOISE else 0.0
        self._rate = max(_SLOWEST, self._rate * kept)
        self._calm = now

    def _next_round(self) -> None:
        self._share = 0.0
        self._seen = 0
        self.round += 1

    @staticmethod
    def _burst(rate: float) -> float:
        return max(1.0, rate * _BURST)

    def _refill(self, now: float) -> None:
        assert self._rate is not None  # noqa: S101 - who calls has checked
        if now > self._at:
            self._tokens = min(
                self._burst(self._rate), self._tokens + (now - self._at) * self._rate
            )
            self._at = now

    def _measure(self, accepted: int, now: float) -> None:
        """Count for `_measured`, by seconds."""
        if now - self._window >= 1.0:
            self._before = self._count if now - self._window < 2.0 else 0
            self._window, self._count = now, 0
        self._count += accepted

    def _measured(self, now: float) -> float:
        """Requests that were accepted in one of the last two seconds."""
        past = now - self._window
        return max(self._before, self._count) if past < 2.0 else 0.0


class Paces:
    """The paces of the credentials that were used last.

    Args:
        size: paces that are kept; beyond it, those go first that hold nothing back.
        chance: makes the jitter.
    """

    def __init__(self, size: int = 1000, chance: random.Random | None = None) -> None:
        self._size = size
        self._random = chance or random.Random()  # noqa: S311 - only times come of it
        self._kept: OrderedDict[str, Pace] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, credential: str) -> Pace:
        """The pace of a credential; ``credential`` is a name or a hash, never a token."""
        pace = self._kept.get(credential)
        if pace is None:
            if len(self._kept) >= self._size:
                free = (key for key, kept in self._kept.items() if not kept.limited)
                del self._kept[next(free, next(iter(self._kept)))]
            pace = self._kept[credential] = Pace(self._random)
        else:
            self._kept.move_to_end(credential)
        return pace


class Patience:
    """Whether a throttled request is worth another attempt, after so many in vain.

    Attempts between which the service has accepted others of the same credential are not in vain;
    beyond five times as many, the request itself must be what is throttled.

    Args:
        most: attempts in vain.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_vain = self._attempts = 0
        self._accepted = -1

    def allows(self, pace: Pace) -> bool:
        """Count an attempt that was throttled, and whether there may be another."""
        self._attempts += 1
        self._in_vain += 1
        if 0 <= self._accepted < pace.accepted:
            self._in_vain = 1
        self._accepted = pace.accepted
        return self._in_vain < self._most and self._attempts < 5 * self._most
