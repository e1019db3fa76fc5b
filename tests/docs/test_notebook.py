"""The notebook runs, and its results show themselves as tables and pictures."""

import nbformat
import pytest
from nbclient import NotebookClient


@pytest.mark.filterwarnings("ignore")  # of Jupyter's own packages
def test_the_tour_runs(root):
    notebook = nbformat.read(root / "docs" / "examples" / "tour.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output["data"] for output in outputs if output["output_type"] == "execute_result"]
    assert sum("text/html" in data for data in shown) == 3  # allocation, comparison, one run
    assert sum("image/png" in data for data in shown) == 3
    assert not [output for output in outputs if output["output_type"] == "error"]
