"""Terraform's two syntaxes: the same nested values as HCL (``.tf``) or as its JSON (``.tf.json``).

A mapping is a block, a list of mappings is one block each; any other list is a list, and of mappings those
that `MAPS` names are values. In both syntaxes a text is a template: ``${`` and ``%{`` are written doubled.
Source: HCL Native Syntax Specification and HCL JSON Syntax Specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.io.output_files import MARK

__all__ = ["hcl_text", "identifier", "json_text"]

MAPS = ("tags",)
"""Arguments of the provider that are maps, not blocks."""
INDENT = "  "
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def hcl_text(resources: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return resources, by type and label, as HCL."""
    blocks = [
        "\n".join([f"resource {quoted(kind)} {quoted(label)} {{", *body(arguments, INDENT), "}"])
        for kind, labelled in resources.items()
        for label, arguments in labelled.items()
    ]
    return "\n\n".join([f"# {MARK}", *blocks]) + "\n"


def json_text(resources: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return resources, by type and label, in Terraform's JSON syntax."""
    return json.dumps({"//": MARK, "resource": in_json(resources)}, indent=2) + "\n"


def identifier(name: str) -> str:
    """Return a name as a label: letters, digits and underscores, no digit first."""
    label = re.sub(r"\W", "_", name, flags=re.ASCII)
    return label if re.match(r"[A-Za-z_]", label) else f"_{label}"


def body(arguments: Mapping[str, Any], indent: str) -> Iterator[str]:
    """Yield the lines between the braces of a block: arguments aligned, maps and blocks set apart."""
    values = {name: value for name, value in arguments.items() if not is_block(name, value)}
    short = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    width = max(map(len, short), default=0)
    for name, value in short.items():
        yield f"{indent}{name:<{width}} = {expression(value, indent)}"
    parts = [[f"{indent}{name} = {expression(values[name], indent)}"] for name in values if name not in short]
    for name, value in arguments.items():
        if name not in values:
            blocks = [value] if isinstance(value, Mapping) else value
            parts += [[f"{indent}{name} {{", *body(one, indent + INDENT), f"{indent}}}"] for one in blocks]
    for k, part in enumerate(parts):
        if k or short:
            yield ""
        yield from part


def is_block(name: str, value: Any) -> bool:
    """Whether an argument is written as one block or several."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) and name not in MAPS


def expression(value: Any, indent: str) -> str:
    """Return a value as HCL has it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        inner = indent + INDENT
        lines = [f"{inner}{quoted(key)} = {expression(item, inner)}" for key, item in value.items()]
        return "\n".join(["{", *lines, f"{indent}}}"])
    if isinstance(value, list):
        return f"[{', '.join(expression(item, indent) for item in value)}]"
    return json.dumps(value)  # numbers and booleans are alike in both


def quoted(text: str) -> str:
    """Return a text in quotes, with all that HCL would take for its own escaped."""
    return f'"{"".join(map(escaped, literal(text)))}"'


def escaped(letter: str) -> str:
    """Return one letter as it stands between quotes."""
    if letter in ESCAPES:
        return ESCAPES[letter]
    return letter if letter.isprintable() else f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else letter


def literal(text: str) -> str:
    """Return a text whose template markers are literal."""
    return text.replace("${", "$${").replace("%{", "%%{")


def in_json(value: Any) -> Any:
    """Return a value whose texts are literal templates."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Mapping):
        return {key: in_json(item) for key, item in value.items()}
    return [in_json(item) for item in value] if isinstance(value, list) else value
