"""The reference as one page of HTML without scripts, made from the OpenAPI document."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

_PREFIX = "#/components/schemas/"


def page(document: Mapping[str, Any]) -> str:
    """Renders the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = kind_of
    environment.filters["limits"] = limits_of
    environment.filters["prose"] = prose
    schemas = document["components"]["schemas"]
    methods = [(path, item["post"], "get" in item, item["servers"]) for path, item in document["paths"].items()]
    return environment.get_template("reference.html.jinja").render(
        document=document,
        services=[
            (tag, [method for method in methods if tag["name"] in method[1]["tags"]]) for tag in document["tags"]
        ],
        messages={name: schema for name, schema in schemas.items() if "enum" not in schema},
        enums={name: schema for name, schema in schemas.items() if "enum" in schema},
    )


def kind_of(schema: Mapping[str, Any]) -> tuple[str, str, str]:
    """Returns text before a name, the name of a schema of this page (or nothing), and text after it."""
    if "$ref" in schema:
        return "", schema["$ref"].removeprefix(_PREFIX), ""
    if schema.get("type") == "array":
        before, name, after = kind_of(schema["items"])
        return f"list of {before}", name, after
    if "format" in schema:
        return f"{schema['type']} ({schema['format']})", "", ""
    return str(schema.get("type", "any JSON value")), "", ""


def limits_of(schema: Mapping[str, Any]) -> str:
    """Returns the bounds of a value in a few words."""
    words = {
        "maxLength": "at most {} characters",
        "maxItems": "at most {}",
        "maximum": "at most {}",
        "minimum": "from {}",
    }
    return ", ".join(text.format(schema[name]) for name, text in words.items() if name in schema)


def prose(text: str) -> Markup:
    """Returns a text as HTML; what stands between backticks is code."""
    return Markup(re.sub("`(.+?)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it was escaped before
