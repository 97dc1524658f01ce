"""Make clients of environment variables or of a profiles file."""

from __future__ import annotations

import os
from typing import Any, Generic, Self, Unpack

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import Problem, clear_frames

from .environment import options_from_env, variable_of
from .options import ClientOptions, TransportT


class ClientFactories(Generic[TransportT]):
    """Class methods of both clients that take key and secret from somewhere else."""

    __slots__ = ()

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions[TransportT]]) -> Self:
        """Create a client from environment variables.

        - `BINANCE_API_KEY`: the API key. Or `BINANCE_API_KEY_FILE`: path of a file with it.
        - One of `BINANCE_API_SECRET`, `BINANCE_API_SECRET_FILE` (path of a file with the secret),
          `BINANCE_API_PRIVATE_KEY` (Ed25519 or RSA key in PEM format) and
          `BINANCE_API_PRIVATE_KEY_FILE` (path of a PEM file).
        - `BINANCE_API_PRIVATE_KEY_PASSWORD`: password of the private key, if it is encrypted.
        - `BINANCE_BASE_URL`: base URL, optional.
        - `BINANCE_PROXY`: URL of a proxy, optional. It is not used when `transport` is passed.
        - `BINANCE_BUDGET`: URL of a Redis server, optional. All clients of this process and of
          others count there, as with `RedisLimiter`.
        - `BINANCE_ALLOW_HTTP_HOSTS`: `allow_http_hosts`, separated by commas, optional.

        `Ed25519Signer.from_pem` says who may have access to the files. Key and secret may end with
        one newline there.

        Args:
            options: Arguments of the constructor. They take precedence over the variables.

        Raises:
            ConfigurationError: A variable is missing or invalid. The message names it and does not
                contain its value.

        Example:
            with Client.from_env(timeout=5) as client:
                print(client.balance())
        """
        # Keep secrets out of tracebacks; see _secrets.py.
        found: dict[str, Any] | Problem = {}
        label = None
        try:
            found = options_from_env(options)
            problem = found if isinstance(found, Problem) else ""
            if isinstance(found, dict):
                # Type checkers know the constructor of the subclass only.
                make: Any = cls
                client: Self = make(**found, **options)
                return client
        except ConfigurationError as error:
            label = error.label
            option, _, rest = str(error.args[0]).partition(" ")
            name = variable_of(option) if option in found else option
            problem = f"{name} {rest}"
        except TypeError as error:
            # A subclass has another constructor.
            problem = str(error)
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            del options, found
        failure = ConfigurationError(str(problem))
        failure.label = label
        raise failure

    @classmethod
    def from_profile(
        cls,
        name: str,
        *,
        profiles_file: str | os.PathLike[str] | None = None,
        **options: Unpack[ClientOptions[TransportT]],
    ) -> Self:
        """Create a client for an account of a profiles file, which refers to its secrets.

        The command reads the same file. The label is the profile's name. Of the environment count
        `BINANCE_BASE_URL` (after the profile's `base_url`), `BINANCE_PROXY`, `BINANCE_BUDGET` and
        `BINANCE_ALLOW_HTTP_HOSTS`, as in `from_env`. A secret that is the output of a command runs
        that command now.

        Args:
            name: Name of the profile; `list_profiles` returns them.
            profiles_file: Path of the TOML file. `None` uses `BINANCE_PROFILES_FILE`, else
                `binance-usdm/profiles.toml` in `~/.config`.
            options: Arguments of the constructor except key, secret and signer. They take
                precedence over the profile and the variables.

        Raises:
            ConfigurationError: The file or the profile cannot be used, or a secret cannot be read.
                The message never contains a secret.

        Example:
            with Client.from_profile("desk-01") as client:
                print(client.balance())
        """
        # Few programs have a profiles file.
        from .profile_secrets import options_from_profile
        from .profiles import find_profile

        # Keep secrets out of tracebacks; see _secrets.py.
        found: dict[str, Any] | Problem = {}
        label = None
        try:
            profile = find_profile(name, profiles_file)
            label = profile.name
            found = options_from_profile(profile, options)
            # Words of a command in it may be secrets.
            del profile
            problem = found if isinstance(found, Problem) else ""
            if isinstance(found, dict):
                # Type checkers know the constructor of the subclass only.
                make: Any = cls
                client: Self = make(**found, **options)
                return client
        except ConfigurationError as error:
            problem = str(error.args[0])
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            del options, found
        failure = ConfigurationError(str(problem))
        failure.label = label
        raise failure
