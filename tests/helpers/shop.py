"""Hand-made files for the command line, a folder of them, and commands on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.helpers.in_process import Answer, run_spotfleet

REQUEST = {
    "TargetCapacity": 10,
    "LaunchSpecifications": [
        {"InstanceType": "m5.large", "WeightedCapacity": 2},
        {"InstanceType": "m5.xlarge", "WeightedCapacity": 4},
    ],
}
PRICES = """AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp
us-x-1a,m5.large,Linux/UNIX,0.035,2021-05-01T00:00:00Z
us-x-1a,m5.large,Linux/UNIX,0.034,2021-05-01T06:00:00Z
us-x-1b,m5.large,Linux/UNIX,0.036,2021-05-01T00:00:00Z
us-x-1a,m5.xlarge,Linux/UNIX,0.08,2021-05-01T00:00:00Z
us-x-1a,m5.xlarge,Linux/UNIX,0.08,2021-05-02T00:00:00Z
"""
ON_DEMAND = """az,type,linux_ondemand_usd
us-x-1a,m5.large,0.096
us-x-1b,m5.large,0.096
us-x-1a,m5.xlarge,0.192
"""


ALLOCATE = ("allocate", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")
REPLAY = ("replay", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")
COMPARE = ("compare", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")


class Shop:
    """A folder with a request, prices and on-demand prices."""

    def __init__(self, folder):
        self.folder = folder
        self.request(REQUEST)
        (folder / "prices.csv").write_text(PRICES)
        (folder / "od.csv").write_text(ON_DEMAND)

    def request(self, document):
        (self.folder / "fleet.json").write_text(
            document if isinstance(document, str) else json.dumps(document)
        )

    def run(self, *arguments, stdin=""):
        return run_spotfleet(*arguments, folder=self.folder, stdin=stdin)

    def run_apart(self, *arguments, hash_seed="random"):
        """Run in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-c", "from fleet.cli import main; main()", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Answer(done.returncode, done.stdout, done.stderr)


def one_line(answer, words):
    """Hold an answer to one line of error that has some words, and nothing else."""
    assert answer.status == 2
    assert answer.out == ""
    lines = answer.err.strip().splitlines()
    assert len(lines) == 1, answer.err
    assert lines[0].startswith("spotfleet: error: ")
    assert words in lines[0]
