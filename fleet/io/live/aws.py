"""Calls to AWS: clients with the user's own profile, pages to their end, and one clear error of what fails.

Credentials are boto3's affair: nothing here sees them, and what would log them is silent meanwhile.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from fleet.errors import FleetError, InputError

__all__ = ["Clients", "answers", "boto3_clients", "pages"]

Clients = Callable[[str, str], Any]
"""(service, region) -> boto3 client."""

ATTEMPTS = 10
"""Of a call that is throttled, with the pauses that botocore doubles up to 20 s."""
TELLTALES = ("botocore", "botocore.auth", "botocore.endpoint", "botocore.hooks", "botocore.httpsession")
"""At the level DEBUG these log signed headers and session tokens."""
KEPT = "what was fetched until then is kept"
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
REFUSED = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
DENIED = {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"}
THROTTLED = {"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException"}


def boto3_clients(profile: str | None) -> Clients:
    """Return boto3's clients for a profile.

    Raises
    ------
    InputError
        If boto3 is not installed, or the configuration or the profile cannot be read.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ProfileNotFound
    except ImportError:
        raise InputError("live data", "needs boto3", "pip install 'spotfleet[aws]'") from None
    try:
        session = boto3.Session(profile_name=profile)
    except ProfileNotFound:
        name = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
        raise InputError(f"profile {name}", "is not in your AWS configuration", "correct it") from None
    except BotoCoreError as error:
        raise InputError(
            "your AWS configuration", f"cannot be read ({type(error).__name__})", "correct ~/.aws/config"
        ) from None
    config = Config(
        retries={"mode": "standard", "max_attempts": ATTEMPTS}, connect_timeout=15, read_timeout=60
    )
    return cache(lambda service, region: session.client(service, region_name=region, config=config))


def pages(call: Callable[..., Mapping[str, Any]], **question: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of an answer up to the last; a marker that comes again has no end: an error."""
    token, seen = None, set[str]()
    while True:
        answer = call(**question, **({"NextToken": token} if token else {}))
        yield answer
        token = answer.get("NextToken")
        if not token:
            return
        if token in seen:
            raise FleetError("AWS", f"sent the same NextToken twice; {KEPT}", "try again")
        seen.add(token)


def answers(call: Callable[[], Any], what: str) -> Any:
    """Call AWS for ``what``; what it refuses becomes one error that shows the code and never a credential."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    )
    try:
        with discreet():
            return call()
    except credentials as error:
        rule = "were not found" if isinstance(error, credentials[:2]) else "could not be renewed"
        raise InputError(
            "AWS credentials", rule, "run `aws configure` or `aws sso login`, or pass --profile NAME"
        ) from None
    except exceptions.ClientError as error:
        raise refusal(error, what) from None
    except (exceptions.NoRegionError, exceptions.InvalidRegionError):
        raise InputError(f"the region of {what}", "is none of AWS", "correct --region") from None
    except (exceptions.BotoCoreError, ResponseParserError) as error:
        raise FleetError(
            f"AWS did not answer for {what} ({type(error).__name__})",
            KEPT,
            "check the region and the network, and try again",
        ) from None


def refusal(error: Any, what: str) -> FleetError:
    """Return what AWS refused, and the remedy."""
    code = error.response.get("Error", {}).get("Code", "unknown")
    wrong = f"AWS answered {code} to {error.operation_name} for {what}"
    if code in EXPIRED:
        return InputError(wrong, f"the credentials have expired; {KEPT}", "log in again (`aws sso login`)")
    if code in REFUSED:
        return InputError(wrong, "the credentials are not valid", "correct them, or pass --profile NAME")
    if code in DENIED:
        return FleetError(wrong, f"the permission is missing; {KEPT}", "see docs/live.md for the policy")
    if code in THROTTLED:
        return FleetError(wrong, f"{ATTEMPTS} attempts were throttled; {KEPT}", "run it again later")
    return FleetError(wrong, KEPT, "check the request, the region and the permission")


@contextmanager
def discreet() -> Iterator[None]:
    """Hold botocore's loggers above DEBUG, where they would write down tokens; then as they were."""
    loggers = [logging.getLogger(name) for name in TELLTALES]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(max(logger.level, logging.INFO))
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
