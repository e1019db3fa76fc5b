"""The command line without a process of its own: the same entry, streams and exit status."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from dataclasses import dataclass
from unittest.mock import patch


@dataclass
class Answer:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def run_spotfleet(*arguments, folder=".", stdin=""):
    """Run ``spotfleet ARGUMENTS`` in a folder and return its `Answer`; a defect of ours fails the test."""
    from fleet.cli import main

    streams = {"stdin": io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")}
    streams |= {name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for name in ("stdout", "stderr")}
    status = 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(patch.multiple(sys, argv=["spotfleet", *map(str, arguments)], **streams))
        stack.enter_context(patch.dict(os.environ, {"COLUMNS": "80"}))
        try:
            main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        texts = []
        for name in ("stdout", "stderr"):
            streams[name].flush()
            texts.append(streams[name].buffer.getvalue().decode())
    assert "Traceback" not in texts[1], texts[1]
    return Answer(status, *texts)
