"""The resources of the service, a file for each: what the schema is built from.

A new file here is found by itself (`resources`); how one is written: `gateway.schema.declare`.
"""

from importlib import import_module
from pkgutil import iter_modules

from gateway.schema.declare import Resource, declared


def resources() -> list[Resource]:
    """The declarations of all resources in this package, by module and then as written."""
    found = []
    for module in iter_modules(__path__):
        members = vars(import_module(f"{__name__}.{module.name}"))
        for member in members.values():
            resource = declared(member)
            if resource is not None and member.__module__.endswith(f".{module.name}"):
                found.append(resource)
    return found
