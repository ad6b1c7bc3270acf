"""Pages of the site that are not in this folder: documents at the top, and the schema.

`mkdocs build --strict` calls this (mkdocs.yml). Links in the documents lead to files of the
repository; here those to other pages are kept, and of those to code the text remains.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)
from mkdocs.structure.files import File, Files

TOP = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
}
TYPES = "types.md"
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made here."""
    for source, page in TOP.items():
        text = Path(source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, TYPES, content=types(Path("schema.graphql"))))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Lead links to pages, and take those that lead elsewhere in the repository."""
    here = page.file.src_uri
    top = here in TOP.values()
    base = PurePosixPath() if top else PurePosixPath("docs") / PurePosixPath(here).parent
    depth = len(PurePosixPath(here).parents) - 1

    def led(link: re.Match[str]) -> str:
        text, target = link[1], link[2]
        path, _, anchor = target.partition("#")
        if "://" in target or not path:
            return link[0]
        found = _normal(base / path)
        source = TOP.get(found, found.removeprefix("docs/") if found.startswith("docs/") else "")
        if source and not source.endswith((".md", ".png")):
            source = f"{source}/README.md"
        if files.get_file_from_path(source) is None:
            return text if text.startswith("`") else f"`{text}`"
        return f"[{text}]({'../' * depth}{source}{'#' + anchor if anchor else ''})"

    return _LINK.sub(led, markdown)


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


# --- the schema ------------------------------------------------------------------------------


def types(path: Path) -> str:
    """The page of all types of a schema, in its order.

    Args:
        path: of the schema in the definition language.
    """
    schema = build_schema(path.read_text(encoding="utf-8"))
    lines = ["# Every type and field", "", schema.description or "", ""]
    for type_ in schema.type_map.values():
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_):
            lines += _type(type_, schema)
    return "\n".join(lines)


def _type(type_: GraphQLNamedType, schema: GraphQLSchema) -> list[str]:
    lines = [f"## {type_.name}", "", type_.description or "", ""]
    if isinstance(type_, GraphQLEnumType):
        lines += ["| value | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {_cell(v.description)} |" for name, v in type_.values.items()]
    elif isinstance(type_, GraphQLInputObjectType):
        lines += ["| member | type | meaning |", "|---|---|---|"]
        lines += [
            f"| `{name}` | {_linked(field)} | {_cell(field.description)} |"
            for name, field in type_.fields.items()
        ]
    elif fields := getattr(type_, "fields", None):
        lines += ["| field | type | meaning |", "|---|---|---|"]
        for name, field in fields.items():
            about = _cell(field.description) + "".join(
                f"<br>`{argument}`: {_linked(given)}. {_cell(given.description)}"
                for argument, given in field.args.items()
            )
            lines.append(f"| `{name}` | {_linked(field)} | {about} |")
    return [*lines, ""]


def _linked(of: GraphQLField | GraphQLArgument | Any) -> str:
    name = get_named_type(of.type).name
    text = f"`{of.type}`"
    scalars = ("String", "Int", "Float", "Boolean", "ID")
    return text if name in scalars else f"[{text}](#{name.lower()})"


def _cell(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("|", "\\|")
