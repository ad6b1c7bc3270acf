"""Sources of settings beside options: names that nobody knows, and secrets in files."""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

PREFIX = "GATEWAY_"
_OF_THE_BUILD = "build_explorer"
_NEAR = 0.7
# What Kubernetes puts into every container of a namespace with a service called gateway or
# gateway-something.
_OF_KUBERNETES = re.compile(
    r"(.*_)?(service_host|service_port(_\w+)?|port_\d+_(tcp|udp)(_\w+)?)=.*|(.*_)?port=(tcp|udp)://.*"
)

Places = list[tuple[str, Mapping[str, str | None]]]
"""The places where variables were set, in words, each with the variables by their names in lower
case."""


class SettingsError(ValueError):
    """Settings that can't be used.

    Args:
        lines: one for each that is wrong: its name, and the rule. No secret is in them.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


def variable(name: str) -> str:
    """The environment variable of a setting, such as ``GATEWAY_MAX_DEPTH`` of ``max_depth``."""
    return PREFIX + name.upper()


class Surroundings(PydanticBaseSettingsSource):
    """The secrets that are in files; finds the names in the environment that are no settings.

    Args:
        settings: the class of the settings.
        secrets: the names of those that may be in a file.
        environment, file: the sources of the environment and of the `.env` file.
        given: the arguments of the class, by the names of settings.
    """

    def __init__(
        self,
        settings: type[BaseSettings],
        secrets: Collection[str],
        environment: EnvSettingsSource,
        file: EnvSettingsSource,
        given: Mapping[str, Any],
    ) -> None:
        super().__init__(settings)
        self._secrets = secrets
        self._given: Places = [("the arguments", {f"{PREFIX.lower()}{n}": None for n in given})]
        self._places: Places = [("the environment", environment.env_vars), (".env", file.env_vars)]

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Nothing: `__call__` gives all values at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, str]:
        """The secrets that are in files, by the names of their settings.

        Raises:
            SettingsError: a variable is no setting, or the file of a secret can't be used.
        """
        known = [*self.settings_cls.model_fields, *(f"{name}_file" for name in self._secrets)]
        wrong = [*_strangers(self._places, known)]
        wrong += _strangers(self._given, self.settings_cls.model_fields)
        found: dict[str, str] = {}
        for name in self._secrets:
            try:
                text = _secret(self._places, name)
            except ValueError as error:
                wrong.append(str(error))
            else:
                found |= {name: text} if text is not None else {}
        if wrong:
            raise SettingsError(wrong)
        return found


def _strangers(places: Places, known: Collection[str]) -> Iterator[str]:
    """A line for each variable with the prefix that is no setting."""
    for where, variables in places:
        for name, value in sorted(variables.items()):
            setting = name.removeprefix(PREFIX.lower())
            if setting in (name, _OF_THE_BUILD) or setting in known:
                continue
            if _OF_KUBERNETES.fullmatch(f"{setting}={value}"):
                continue
            near = difflib.get_close_matches(setting, known, 1, _NEAR)
            hint = f"; did you mean {variable(near[0])}?" if near else ""
            yield f"{variable(setting)} (in {where}) is no setting of the gateway{hint}"


def _secret(places: Places, name: str) -> str | None:
    """The secret that is in a file; ``None`` if no variable names one.

    Raises:
        ValueError: it is also given itself, or the file can't be read or is empty.
    """
    itself, file = variable(name), variable(f"{name}_file")
    paths = [found for _, variables in places if (found := variables.get(file.lower()))]
    if not paths:
        return None
    if any(variables.get(itself.lower()) for _, variables in places):
        raise ValueError(f"{itself} and {file} exclude each other")
    try:
        text = Path(paths[0]).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{file}: {paths[0]} can't be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{file}: {paths[0]} is no text in UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise ValueError(f"{file}: {paths[0]} is empty")
    return text
