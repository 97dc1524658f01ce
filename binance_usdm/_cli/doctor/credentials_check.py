"""Check of `doctor`: key and secret of the environment, or of a profile. Nothing is sent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from binance_usdm._auth.credentials import Credentials, validate_credentials
from binance_usdm._auth.signers import credential_problem
from binance_usdm._config import environment as env
from binance_usdm._secrets import Problem

from . import advice as texts
from .findings import CheckResult, Facts, describe_length
from .probe import CheckContext, RecordingSigner

if TYPE_CHECKING:
    from binance_usdm._config.profiles import Profile

CREDENTIAL_VARIABLES: Final = (
    *env.ENV_NAMES_BY_OPTION.values(),
    *env.FILE_VARIABLES.values(),
    env.ENV_PRIVATE_KEY,
    env.ENV_PRIVATE_KEY_FILE,
    env.ENV_PRIVATE_KEY_PASSWORD,
)


def check_credentials(context: CheckContext) -> CheckResult:
    """Check that the environment, or the profile, has usable credentials. Nothing is sent."""
    if context.profile is not None:
        return _check_profile(context, context.profile)
    names = (env.ENV_API_KEY, env.ENV_API_SECRET)
    values = {name: os.environ[name] for name in names if os.environ.get(name)}
    lengths = {name: describe_length(text) for name, text in values.items()}
    context.unusual_lengths = {
        name: length for name, length in lengths.items() if length != texts.EXPECTED_LENGTH_TEXT
    }
    facts: Facts = {
        "set": [name for name in CREDENTIAL_VARIABLES if os.environ.get(name)],
        "empty": [name for name in CREDENTIAL_VARIABLES if os.environ.get(name) == ""],
        "lengths": lengths,
    }
    problems = _load_credentials(context, values)
    if problems:
        # A problem with a key file says what to do.
        is_file = any(env.ENV_PRIVATE_KEY_FILE in problem for problem in problems)
        return "problem", "; ".join(problems), "" if is_file else texts.ADVICE_COPY_KEYS, facts
    assert context.recorder is not None
    facts["kind"] = context.recorder.key_type
    warnings = [f"{name} has {length}" for name, length in context.unusual_lengths.items()]
    if os.environ.get(env.ENV_PRIVATE_KEY_PASSWORD) and facts["kind"] == "HMAC":
        warnings.append(f"{env.ENV_PRIVATE_KEY_PASSWORD} is set and not used")
    summary = "; ".join([texts.KEY_TYPE_TEXTS[facts["kind"]], *warnings])
    # The fake keys of a mock may have any length.
    if not warnings or context.is_test_host:
        return "ok", summary, "", facts
    return "warning", summary, texts.ADVICE_COPY_KEYS, facts


def _load_credentials(context: CheckContext, values: dict[str, str]) -> list[str]:
    """Add key and signer to the context, or return all problems with the variables.

    Args:
        context: What the checks share.
        values: API key and secret by variable.
    """
    problems = []
    for name, text in values.items():
        reason = "holds PEM text" if "-----BEGIN" in text else credential_problem(text)
        if reason is not None:
            problems.append(f"{name} {reason}")
    # Other checks look at base URL, proxy and budget. With these options their variables are ignored.
    options = env.options_from_env({"base_url": "", "proxy": "", "limiter": None})
    if isinstance(options, Problem):
        return [*problems, options]
    credentials = validate_credentials(
        options["api_key"], options.get("api_secret"), options.get("signer")
    )
    if isinstance(credentials, Problem):
        named = credentials.replace("api_key", env.ENV_API_KEY)
        return problems or [named.replace("api_secret", env.ENV_API_SECRET)]
    _keep(context, credentials)
    return problems


def _check_profile(context: CheckContext, profile: Profile) -> CheckResult:
    """Check that the secrets to which a profile refers can be read and used."""
    # The environment's account does not wait for this import.
    from binance_usdm._config.profile_secrets import resolve_profile

    facts: Facts = {"profile": True, "references": sorted(profile.references)}
    options = resolve_profile(profile)
    if isinstance(options, Problem):
        return "problem", options, texts.ADVICE_REFERENCES, facts
    values = {name: options[name] for name in ("api_key", "api_secret") if name in options}
    lengths = {name: describe_length(text) for name, text in values.items()}
    unusual = {name: text for name, text in lengths.items() if text != texts.EXPECTED_LENGTH_TEXT}
    variables = {"api_key": env.ENV_API_KEY, "api_secret": env.ENV_API_SECRET}
    context.unusual_lengths = {variables[name]: text for name, text in unusual.items()}
    facts["lengths"] = lengths
    credentials = validate_credentials(
        options["api_key"], options.get("api_secret"), options.get("signer")
    )
    if isinstance(credentials, Problem):
        return "problem", credentials, texts.ADVICE_REFERENCES, facts
    _keep(context, credentials)
    assert context.recorder is not None
    facts["kind"] = context.recorder.key_type
    warnings = [f"{name} has {length}" for name, length in unusual.items()]
    summary = "; ".join(["of the profile: " + texts.KEY_TYPE_TEXTS[facts["kind"]], *warnings])
    if not warnings or context.is_test_host:
        return "ok", summary, "", facts
    return "warning", summary, texts.ADVICE_REFERENCES, facts


def _keep(context: CheckContext, credentials: Credentials) -> None:
    # Key and signer were asked for together.
    assert credentials.signer is not None
    context.api_key = credentials.api_key
    context.recorder = RecordingSigner(credentials.signer)
