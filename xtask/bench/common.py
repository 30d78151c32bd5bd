"""What the ways of doing it with the official client have in common.

Each is called with PROJECT VOLUME POLL_SECONDS; where the platform is and the token stand in the environment, as the
client expects them.
"""

import os
import sys

import sevenbridges
from sevenbridges.errors import PaginationError
from sevenbridges.http.error_handlers import rate_limit_sleeper

PROJECT, VOLUME, POLL_SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
FINAL = ("COMPLETED", "FAILED")


def connect():
    return sevenbridges.Api(
        url=os.environ["SB_API_ENDPOINT"],
        token=os.environ["SB_AUTH_TOKEN"],
        error_handlers=[rate_limit_sleeper],
        advance_access=True,  # scrolling is
        debug=True,  # takes plain http: the sandbox is on this machine, and nobody here pays for TLS
    )


def files(api):
    """The id and the path of every file of the project, listed a hundred at a time, folder by folder."""
    folders = [("", {"project": PROJECT})]
    while folders:
        path, where = folders.pop()
        for entry in api.files.query(limit=100, **where).all():
            if entry.is_folder():
                folders.append((f"{path}{entry.name}/", {"parent": entry.id}))
            else:
                yield entry.id, path + entry.name


def scroll(api, where):
    """Every entry of one folder, listed a thousand at a time."""
    page = api.files.query(limit=1000, cont_token="init", **where)
    while True:
        yield from page
        try:
            page = page.next_page()
        except PaginationError:
            return


def hundreds(items):
    """The items in lists of a hundred."""
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == 100:
            yield batch
            batch = []
    if batch:
        yield batch


def resource(record):
    """What a bulk call's record holds; a refusal ends the program."""
    if not record.valid:
        raise SystemExit(f"refused: {record.error.message}")
    return record.resource


def ended(job):
    """Whether the job has ended, and well."""
    if job.state == "FAILED":
        raise SystemExit(f"failed: {job.id}")
    return job.state in FINAL
