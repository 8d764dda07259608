"""The account: a client for each service and region, all paced together.

Lambda allows 15 control plane requests a second in a region, over everybody who uses the account
("Lambda quotas", API requests, in the Lambda developer guide): deployments need some of them too.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from pyrate_limiter import Limiter, Rate

from coldstart_cli.fleet.aws_errors import FleetError

REQUESTS_PER_SECOND = 10
_RETRIES = {"mode": "standard", "total_max_attempts": 10}


class Access:
    """What the commands reach the account through. Its clients may be used by several threads."""

    def __init__(
        self,
        profile: str | None = None,
        regions: Sequence[str] = (),
        endpoint_url: str | None = None,
        requests_per_second: int = REQUESTS_PER_SECOND,
    ) -> None:
        """Nothing is asked of AWS yet.

        Args:
            profile: of the AWS configuration; None: the usual one.
            regions: to work in; none: that of the configuration.
            endpoint_url: of another server that speaks AWS's protocols.
            requests_per_second: at most, in each region, retries included.

        Raises:
            FleetError: the endpoint is no URL.
            botocore.exceptions.ProfileNotFound: there is no such profile.
        """
        if endpoint_url is not None and not _is_endpoint(endpoint_url):
            raise FleetError(f"--endpoint-url {endpoint_url!r} is not like https://host:port")
        self._session = boto3.Session(profile_name=profile)
        # AWS_REGION is what the AWS CLI and the other SDKs read first; boto3 does not.
        configured = os.environ.get("AWS_REGION") or self._session.region_name
        if not all(regions):
            raise FleetError("--region is empty")
        self._regions = tuple(dict.fromkeys(regions)) or ((configured,) if configured else ())
        self._endpoint_url = endpoint_url
        self._requests_per_second = requests_per_second
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._pace: dict[str, Callable[..., None]] = {}

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions to work in, at least one.

        Raises:
            FleetError: nobody has said which.
        """
        if not self._regions:
            raise FleetError("no region: give --region, or set AWS_REGION")
        return self._regions

    def client(self, service: str, region: str) -> Any:
        """The client of a service in a region: the same one each time.

        It tries again on throttling and on errors of the service, by botocore's rules.
        """
        with self._lock:  # a session's factory of clients is not safe for threads
            key = (service, region)
            if key not in self._clients:
                client = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint_url,
                    config=Config(retries=_RETRIES, max_pool_connections=32),
                )
                if region not in self._pace:
                    self._pace[region] = _pace(self._requests_per_second)
                client.meta.events.register("before-send", self._pace[region])
                self._clients[key] = client
            return self._clients[key]


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(re.fullmatch(r"[\w.:-]+", parts.hostname or ""))
            and parts.port != 0
        )
    except ValueError:
        return False


def _pace(requests_per_second: int) -> Callable[..., None]:
    """A handler of botocore's event "before-send", which comes before each try of a request."""
    # Evenly, not all at once and then none: bursts are what quotas are counted against.
    rates = [Rate(1, 1000 // requests_per_second)]
    if requests_per_second > 1:
        # Where threads wake late, and then several at once, this keeps to the number.
        rates.append(Rate(requests_per_second, 1001))
    limiter = Limiter(rates, buffer_ms=1)

    def wait(**_: object) -> None:
        limiter.try_acquire("request")

    return wait
