"""Runs a program in layers: what is ready is asked for together, and what comes makes more ready.

All requests of a layer reach the loader in one tick, so they go out together. After the last layer
the answer is nested rows. Each piece of work is guarded (`gateway.graph.work`): whatever happens
in it fails its own edges and no others.
"""

import asyncio
from functools import partial

from gateway.graph import batch
from gateway.graph.capabilities import Standing
from gateway.graph.edges import Edges
from gateway.graph.experiment import Trial
from gateway.plan.rows import Row
from gateway.plan.steps import Hydrate, ReadList, step_of


class Runner(Edges):
    """One run of one program."""

    _doubted: Trial | None = None

    async def run(self) -> Row:
        """The root row, with everything selected stitched below it; no edge's failure raises."""
        root: Row = {}
        for child in self._program.root.children.values():
            self._schedule(child, root)
        if (trial := self._question()) is not None:
            self._work((), partial(self._ask, trial), self._program.probe)
        while self._next or self._lists or self._undecided or self._stubs:
            self._decide_all()
            self._look_up_all()
            requests = self._ask_for_lists()
            if self._doubted is not None and requests % batch.MAX_ITEMS:
                self._work((), partial(self._confirm, self._doubted), self._program.probe)
                self._doubted = None
            layer, self._next = self._next, []
            async with asyncio.TaskGroup() as group:
                for work in layer:
                    group.create_task(work())
        return root

    def _decide_all(self) -> None:
        """Make the choices for which the last layer told what they depend on."""
        undecided, self._undecided = self._undecided, []
        for decide in undecided:
            decide()

    def _look_up_all(self) -> None:
        """Look up, in bulk, what the rows of the last layer have stubs of."""
        if not self._stubs:
            return
        stubs, self._stubs = self._stubs, []
        edges = [(child, stub) for child, stub, _ in stubs]
        step = step_of(stubs[0][0], Hydrate)
        self._work((), partial(self._hydrate, stubs), step, lacking=edges)

    def _ask_for_lists(self) -> int:
        """Ask for the lists that can be paid; the number of requests of the layer, at least."""
        lists, self._lists = self._lists, {}
        requests = len(self._next) + sum(map(len, lists.values()))
        left = self._reader.left - len(self._next)
        for node, waiting in lists.items():
            parents, needed = self._affordable(node, waiting, left)
            left -= needed
            edges = [(node, parent) for parent in parents]
            self._work(edges, partial(self._read_lists, node, parents), step_of(node, ReadList))
        return requests

    def _question(self) -> Trial | None:
        """The question to ask beside the first layer, before a whole one relies on the answer."""
        probe, capabilities = self._program.probe, self._reader.capabilities
        if probe is None or capabilities.standing(probe.capability) is not Standing.UNKNOWN:
            return None
        return Trial(probe.capability, *probe.requests())

    async def _ask(self, probe: Trial) -> None:
        """Ask the first half of a trial; the other goes along where a batch has place for it, at
        the latest in the next operation."""
        doubted = self._reader.capabilities.doubted
        if probe.capability in doubted:
            await self._confirm(probe)
        if (await self._reader.load(probe.request)).status == 400:
            self._reader.doubt(probe.capability)
            if probe.capability not in doubted:
                doubted.add(probe.capability)
                self._doubted = probe

    async def _confirm(self, probe: Trial) -> None:
        await self._reader.proven(probe)
