"""The check of `doctor` that looks at key, secret and private key."""

from __future__ import annotations

import os
from typing import Final

from binance_usdm import _environment as env
from binance_usdm._auth.credentials import Credentials, validate_credentials
from binance_usdm._auth.signers import credential_problem
from binance_usdm._secrets import Problem

from .advice import ADVICE_COPY_KEYS, EXPECTED_LENGTH_TEXT, KEY_TYPE_TEXTS, THIS_MACHINE
from .check_context import CheckContext, RecordingSigner
from .findings import CheckResult, Facts, describe_length

CREDENTIAL_VARIABLES: Final = (
    *env.ENV_NAMES_BY_OPTION.values(),
    env.ENV_PRIVATE_KEY,
    env.ENV_PRIVATE_KEY_FILE,
    env.ENV_PRIVATE_KEY_PASSWORD,
)


def check_credentials(context: CheckContext) -> CheckResult:
    """Check that the environment has usable credentials. Nothing is sent."""
    facts = _credential_facts()
    lengths: dict[str, str] = facts["lengths"]
    context.unusual_lengths = {
        name: length for name, length in lengths.items() if length != EXPECTED_LENGTH_TEXT
    }
    credentials = _credentials_from_env()
    if isinstance(credentials, Problem):
        return "problem", "; ".join(_credential_problems(credentials)), ADVICE_COPY_KEYS, facts
    # options_from_env() has checked that there is one.
    assert credentials.signer is not None
    context.recorder = RecordingSigner(credentials.signer)
    context.credentials = Credentials(credentials.api_key, context.recorder)
    facts["kind"] = context.recorder.key_type
    warnings = _credential_warnings(context)
    summary = "; ".join([KEY_TYPE_TEXTS[context.recorder.key_type], *warnings])
    # The fake keys of a mock may have any length.
    if not warnings or context.environment == THIS_MACHINE:
        return "ok", summary, "", facts
    return "warning", summary, ADVICE_COPY_KEYS, facts


def _credential_facts() -> Facts:
    """Return which variables are set and empty, and the lengths of key and secret."""
    return {
        "set": [name for name in CREDENTIAL_VARIABLES if os.environ.get(name)],
        "empty": [name for name in CREDENTIAL_VARIABLES if os.environ.get(name) == ""],
        "lengths": {name: describe_length(text) for name, text in _key_and_secret().items()},
    }


def _key_and_secret() -> dict[str, str]:
    """Return API key and secret by variable, without those that are not set."""
    names = (env.ENV_API_KEY, env.ENV_API_SECRET)
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def _credentials_from_env() -> Credentials | Problem:
    # Another check looks at the base URL. With this option its variable is ignored.
    options = env.options_from_env({"base_url": ""})
    if isinstance(options, Problem):
        return options
    return validate_credentials(
        options.get("api_key"), options.get("api_secret"), options.get("signer")
    )


def _credential_problems(problem: Problem) -> list[str]:
    """Return all problems with the variables, where the client reports only the first.

    Args:
        problem: The client's problem. It is left out if a variable's problem explains it.
    """
    problems = []
    for name, text in _key_and_secret().items():
        reason = "holds PEM text" if "-----BEGIN" in text else credential_problem(text)
        if reason is not None:
            problems.append(f"{name} {reason}")
    options_are_wrong = isinstance(env.options_from_env({"base_url": ""}), Problem)
    if options_are_wrong or not problems:
        named = problem.replace("api_key", env.ENV_API_KEY)
        problems.append(named.replace("api_secret", env.ENV_API_SECRET))
    return problems


def _credential_warnings(context: CheckContext) -> list[str]:
    warnings = [f"{name} has {length}" for name, length in context.unusual_lengths.items()]
    if os.environ.get(env.ENV_PRIVATE_KEY_PASSWORD) and os.environ.get(env.ENV_API_SECRET):
        warnings.append(f"{env.ENV_PRIVATE_KEY_PASSWORD} is set and not used")
    return warnings
