"""Calls AWS APIs in the regions of one account, for the commands that read the account."""

from typing import Final

from resiliency.drill_cli.aws import Aws, session
from staged_resiliency.shared import limits


class Account:
    """Calls AWS APIs in the regions of one account, with the user's credentials.

    Args:
        region: The region of the service; the configured one unless given.
        profile: A profile of the AWS configuration; as usual for AWS's tools unless given.
        permissions: Where the documentation lists the permissions that the command needs.

    Raises:
        UserError: There is no region, there are no credentials, or AWS rejects them.
    """

    def __init__(self, region: str | None, profile: str | None, *, permissions: str) -> None:
        self._profile = profile
        self._permissions = permissions
        self.home: Final = Aws(session(profile, region), permissions=permissions)
        self._by_region = {self.home.region: self.home}

    @property
    def id(self) -> str:
        """The account's id."""
        return self.home.account

    @property
    def region(self) -> str:
        """The region of the service."""
        return self.home.region

    def in_region(self, region: str) -> Aws:
        """Return the object that calls AWS APIs in a region."""
        if region not in self._by_region:
            made = Aws(session(self._profile, region), permissions=self._permissions)
            self._by_region[region] = made
        return self._by_region[region]

    def of_health_checks(self) -> Aws:
        """Return the object that calls AWS APIs in the region with the metrics of health checks."""
        return self.in_region(limits.health_check_metrics_region(self.region))
