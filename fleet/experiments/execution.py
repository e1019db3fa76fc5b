"""Tasks on executors: any of `concurrent.futures`, Dask's as well; a worker that dies costs only its time.

Tasks are pure, so that one that was lost is simply done again. What is finished is handed on as it comes,
also when the rest is cut short by Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import BaseContext
from threading import Thread
from typing import TypeVar

from fleet.errors import FleetError

__all__ = ["expect_processes", "on_executor", "on_processes"]

Task = TypeVar("Task")
Answer = TypeVar("Answer")
MOST_LOSSES = 3
"""How often in a row workers may die without one task done before the experiment gives up."""

PRELOADED = ["fleet.experiments.worker"]

GRACE_S = 10.0
"""How long tasks that run already may take to finish when an experiment is cut short."""

LOST = ("KilledWorker", "FutureCancelledError", "FuturesCancelledError", "CommClosedError")
"""Names of Dask's errors for a task that went down with its worker (Dask need not be installed here)."""


def on_processes(
    work: Callable[[Task], Answer], tasks: Sequence[Task], done: Callable[[Answer], None], workers: int
) -> None:
    """Do the tasks on processes of our own; when one of them is killed, new ones do what is left.

    Raises
    ------
    FleetError
        If workers die again and again without one task done.
    """
    left = dict(enumerate(tasks))
    losses = 0
    while left:
        before = len(left)
        with own_pool(min(workers, len(left))) as pool:
            try:
                work_off(pool, work, left, done)
            except BrokenExecutor:
                losses = losses + 1 if len(left) == before else 1
                if losses >= MOST_LOSSES:
                    raise FleetError(
                        "the worker processes",
                        f"died {losses} times in a row without one task done",
                        "look for what ends them (memory?), or use fewer workers",
                    ) from None


def on_executor(
    executor: Executor,
    work: Callable[[Task], Answer],
    tasks: Sequence[Task],
    done: Callable[[Answer], None],
) -> None:
    """Do the tasks on the caller's executor, which is left open; tasks lost with a worker are done again.

    Raises
    ------
    FleetError
        If the executor breaks for good, or loses tasks again and again.
    """
    left = dict(enumerate(tasks))
    losses = 0
    while left:
        before = len(left)
        try:
            work_off(executor, work, left, done)
        except BrokenExecutor:
            raise FleetError(
                "the executor",
                "broke: a worker of it has died, and it takes no more tasks",
                "start it again and repeat the call; what is in the store is not run again",
            ) from None
        except Exception as error:
            if type(error).__name__ not in LOST:
                raise
            losses = losses + 1 if len(left) == before else 1
            if losses >= MOST_LOSSES:
                raise FleetError(
                    "the cluster", f"lost tasks {losses} times in a row ({error})", "look at its workers"
                ) from None


def new_processes() -> BaseContext:
    """Return how processes are started: spawned, on Linux forked from a server.

    The server is spawned once and has imported what a worker needs: two workers then start in half the
    processor time.
    """
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def expect_processes() -> None:
    """Start the server that forks the workers now, so that it imports while the question is prepared."""
    if sys.platform == "linux":
        from multiprocessing.forkserver import ensure_running

        new_processes()
        ensure_running()


@contextmanager
def own_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes; on the way out nothing waits for tasks that have not begun."""
    pool = ProcessPoolExecutor(workers, new_processes(), follow_the_parent)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def follow_the_parent() -> None:
    """Ignore Ctrl-C in a worker, and end with the parent.

    The terminal sends Ctrl-C to all processes: the parent alone decides. A parent that is killed cannot: its
    workers would wait for tasks for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=end_after, args=(parent.sentinel,), daemon=True).start()


def end_after(sentinel: int) -> None:
    """End this process when the one behind a sentinel has ended."""
    wait_for([sentinel])
    os._exit(1)


def work_off(
    executor: Executor,
    work: Callable[[Task], Answer],
    left: dict[int, Task],
    done: Callable[[Answer], None],
) -> None:
    """Submit what is left and hand on each answer, taking its task out of ``left``.

    However this ends, answers that are there are handed on.
    """
    pending: dict[Future[Answer], int] = {}
    try:
        pending.update((executor.submit(work, task), k) for k, task in left.items())
        while pending:
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                answer = future.result()
                del left[pending.pop(future)]
                done(answer)
    finally:
        running = [future for future in pending if not future.cancel()]
        wait(running, timeout=GRACE_S)
        for future, k in pending.items():
            answered = future.done() and not future.cancelled()
            if answered and k in left and future.exception() is None:
                del left[k]
                done(future.result())
