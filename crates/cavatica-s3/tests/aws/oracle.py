"""What boto3 makes of the configuration in its environment, in the words of the cases beside this file."""

import boto3
import botocore.exceptions as failures


def answer():
    try:
        session = boto3.Session()
        keys = session.get_credentials()
    except failures.ProfileNotFound:
        return ["none"]
    except failures.PartialCredentialsError:
        return ["half"]
    except failures.ConfigParseError:
        return ["file"]
    except (failures.InvalidConfigError, failures.CredentialRetrievalError):
        return ["indirect"]
    if keys is None:
        return ["none"]
    if keys.method not in ("env", "shared-credentials-file", "config-file"):
        return ["indirect"]
    words = ["keys", keys.access_key, keys.secret_key, keys.token]
    lines = [" ".join(word for word in words if word)]
    if session.region_name:
        lines.append("region " + session.region_name)
    client = session.client("s3", region_name="us-east-1", verify=False)
    if not client.meta.endpoint_url.endswith("amazonaws.com"):
        lines.append("endpoint " + client.meta.endpoint_url)
    authorities = session._session.get_config_variable("ca_bundle")
    if authorities:
        lines.append("ca " + authorities)
    return lines


print("\n".join(answer()))
