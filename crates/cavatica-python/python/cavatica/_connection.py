"""Which platform is talked to, and as whom."""

from __future__ import annotations

import os
from typing import Any, Dict

from cavatica._error import REFUSED, CavaticaError

#: The variables that the program, like the official clients, reads.
TOKEN, ENDPOINT = "SB_AUTH_TOKEN", "SB_API_ENDPOINT"


class Connection:
    """An account on a platform. Nothing that it shows holds the token."""

    __slots__ = ("_api", "_ca_cert", "_endpoint", "_profile", "_token")

    def __init__(
        self,
        api: Any = None,
        token: str | None = None,
        endpoint: str | None = None,
        profile: str | None = None,
        ca_cert: os.PathLike[str] | str | None = None,
    ) -> None:
        self._api = api
        self._token = token
        self._endpoint = endpoint
        self._profile = profile
        self._ca_cert = ca_cert

    def check(self) -> None:
        """Make sure that what was named fits together: apart from the constructor, whose callers still hold the token.

        Raises:
            CavaticaError: it doesn't.

        """
        named = [value is not None for value in (self._token, self._endpoint, self._profile)]
        if self._api is not None and any(named):
            message = "`api` names the platform and the token already: leave out `token`, `endpoint` and `profile`"
            raise CavaticaError(message, exit_code=REFUSED)
        if self._token is not None and self._profile is not None:
            raise CavaticaError("a token and a profile are both named: leave one of them out", exit_code=REFUSED)
        if self._api is not None:
            self._take_api()

    def _take_api(self) -> None:
        kind = type(self._api).__name__
        if getattr(self._api, "oauth_token", None):
            raise CavaticaError(
                "`api` signs in with an OAuth token, which exports can't be started with",
                exit_code=REFUSED,
                hints=["make it with `sevenbridges.Api(url=..., token=...)`, with the token of the Developer page"],
            )
        self._endpoint = getattr(self._api, "url", None)
        self._token = getattr(self._api, "token", None)
        self._ca_cert = self._ca_cert or getattr(self._api, "ca_cert", None)
        self._api = None
        if not self._endpoint or not self._token:
            message = f"`api` is a {kind}; expected a `sevenbridges.Api` or a `cavatica.Sandbox`"
            raise CavaticaError(message, exit_code=REFUSED)

    def __repr__(self) -> str:
        where = self._endpoint or (f"profile {self._profile!r}" if self._profile else "as the environment says")
        return f"<Connection {where}>"

    def __reduce__(self) -> str:
        # A pickle is a file like any other, and the token stands in no file.
        message = "a transfer holds a token and can't be pickled; hand on its path, and open it there"
        raise TypeError(message)

    def arguments(self) -> list[str]:
        """Return what stands on the command line, which everybody may read."""
        arguments: list[str] = []
        for flag, value in (
            ("endpoint", self._endpoint),
            ("profile", self._profile),
            ("ca-cert", self._ca_cert),
        ):
            if value is not None:
                arguments += [f"--{flag}", os.fspath(value)]
        return arguments

    def environment(self) -> dict[str, str]:
        """Return the variables for the program, the only way on which a token is handed over."""
        environment = dict(os.environ)
        if self._token is not None:
            environment[TOKEN] = self._token
        return _Hidden(environment)


class _Hidden(Dict[str, str]):
    """Variables that don't show in the repr of a frame."""

    def __repr__(self) -> str:
        return "<environment>"
