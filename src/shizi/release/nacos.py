"""Settings out of a Nacos server, over its HTTP interface; nothing of Nacos need be installed."""

from __future__ import annotations

import http.client
import json
from urllib.parse import parse_qsl, urlencode, urlsplit

from shizi.core.errors import ConfigError, ReleaseStoreGone

_TIMEOUT_S = 3.0
_ABSENT = 404


class NacosSource:
    """One configuration of a server of version 2 or 3.

    Args:
        address: "nacos://[USER:PASSWORD@]HOST:8848/DATA_ID?group=DEFAULT_GROUP&namespace=…"; with
            "api=v3" the client interface of version 3 is asked, else that of version 1, which
            version 2 still has.

    Raises:
        ConfigError: it is no such address.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        data_id = parts.path.strip("/")
        if parts.scheme != "nacos" or not parts.hostname or not data_id:
            raise ConfigError("releases.config: nacos://HOST:8848/DATA_ID is the form of Nacos")
        self.name = f"nacos://{parts.hostname}:{parts.port or 8848}/{data_id}"
        self._host, self._port = parts.hostname, parts.port or 8848
        chosen = dict(parse_qsl(parts.query))
        self._version3 = chosen.get("api") == "v3"
        group = chosen.get("group", "DEFAULT_GROUP")
        query = {"dataId": data_id, "groupName" if self._version3 else "group": group}
        if namespace := chosen.get("namespace"):
            query["namespaceId" if self._version3 else "tenant"] = namespace
        if parts.username:
            query |= {"username": parts.username, "password": parts.password or ""}
        route = "/nacos/v3/client/cs/config" if self._version3 else "/nacos/v1/cs/configs"
        self._target = f"{route}?{urlencode(query)}"

    def read(self) -> str | None:
        """Give the text; None where there is no such configuration."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", self._target)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            kind = type(error).__name__
            raise ReleaseStoreGone(f"{self.name} cannot be reached: {kind}") from error
        finally:
            connection.close()
        if answer.status == _ABSENT:
            return None
        if answer.status != http.client.OK:
            raise ReleaseStoreGone(f"{self.name} answers {answer.status}")
        return self._content(text)

    def _content(self, text: str) -> str | None:
        """Take the text out of the envelope that version 3 puts it into."""
        if not self._version3:
            return text
        try:
            content: str | None = json.loads(text)["data"]["content"]
        except (ValueError, KeyError, TypeError) as error:
            raise ReleaseStoreGone(f"{self.name} answers in a form that is not known") from error
        return content
