"""The platform's official Python client, unmodified, against the sandbox over TLS.

Usage: sevenbridges_python.py PATH_TO_CAVATICA

Every check is a function whose name says what must hold. The first that fails ends the run.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


@contextlib.contextmanager
def sandbox(program, *arguments):
    """A running sandbox, as the program describes it on its first line."""
    command = [program, "sandbox", "--tls", "--port", "0", "--json", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(process.stdout.readline())
        yield ready
    finally:
        process.terminate()
        process.wait()


def connect(ready, **options):
    import sevenbridges

    options.setdefault("token", ready["token"])
    api = sevenbridges.Api(url=ready["endpoint"], **options)
    # Both, because the client's own rate limit sleeper repeats requests in a way that ignores the environment, and all
    # others put it first.
    api.session.verify = os.environ["REQUESTS_CA_BUNDLE"] = ready["ca_cert"]
    return api


def refused(error_class, code, call):
    try:
        call()
    except error_class as error:
        assert error.code == code, f"code {error.code}, not {code}: {error}"
        assert error.message, "an error has a message"
        return
    raise AssertionError(f"nobody raised {error_class.__name__} with code {code}")


def finished(job):
    """The documented way to wait: reload until the state is final."""
    while job.state not in ("COMPLETED", "FAILED"):
        time.sleep(0.05)
        job.reload()
    return job


def check_users(api, ready):
    me = api.users.me()
    assert me.username, me
    assert api.remaining < api.limit == 1000
    assert api.request_id
    assert api.rate_limit.get().rate.limit == 1000


def check_credentials_file(api, ready):
    import configparser

    profiles = configparser.ConfigParser()
    profiles.read(ready["credentials"])
    for profile in ("default", "cavatica"):
        assert profiles[profile]["api_endpoint"] == ready["endpoint"]
        assert profiles[profile]["auth_token"] == ready["token"]


def check_projects(api, ready):
    projects = list(api.projects.query(limit=1).all())
    assert [project.id for project in projects] == [ready["project"]]
    project = api.projects.get(ready["project"])
    assert project.name and project.root_folder
    assert [member.username for member in project.get_members()] == [api.users.me().username]
    owner = ready["project"].split("/")[0]
    assert [found.id for found in api.projects.query(name="DEM")] == [ready["project"]]
    assert [found.id for found in api.projects.query(owner=owner)] == [ready["project"]]
    assert api.projects.query(tags=["none"]).total == 0
    files = project.get_files()
    assert files.total == len(list(files.all()))


def walk(api, **where):
    for file in api.files.query(limit=2, **where).all():
        if file.is_folder():
            yield from walk(api, parent=file)
        else:
            yield file


def check_files(api, ready):
    files = {file.name: file for file in walk(api, project=ready["project"])}
    assert len(files) == 210, len(files)
    named = api.files.query(project=ready["project"], names=["top.txt", "none"])
    assert [file.name for file in named] == ["top.txt"] and named.total == 1
    assert len(api.files.query(project=ready["project"], names=[])) == 0
    folder = api.files.query(project=ready["project"], names=["many"])[0]
    assert folder.is_folder()
    page = api.files.query(parent=folder, limit=100)
    assert page.total == 205 and len(page) == 100
    second = page.next_page()
    assert [file.name for file in second.previous_page()] == [file.name for file in page]
    file = api.files.get(files["top.txt"].id)
    assert file.size == 4 and file.storage.type == "PLATFORM"
    assert api.files.query(parent=folder, metadata={"sample": "x"}).total == 0
    assert api.files.query(parent=folder, tags=["none"]).total == 0
    records = api.files.bulk_get([file, files["odd #1 (50%).txt"], "none"])
    assert [record.valid for record in records] == [True, True, False]
    assert records[1].resource.name == "odd #1 (50%).txt"
    assert records[2].error.code == 5002


def check_scrolling(api, ready):
    import sevenbridges

    folder = api.files.query(project=ready["project"], names=["many"])[0]
    advanced = connect(ready, advance_access=True)
    for limit in (100, 1000):
        page = advanced.files.query(parent=folder, cont_token="init", limit=limit)
        names = [file.name for file in page.all()]
        assert len(names) == len(set(names)) == 205, len(names)
    # Names the feature that was not asked for.
    refused(
        sevenbridges.errors.Forbidden,
        90002,
        lambda: api.files.query(parent=folder, cont_token="init"),
    )


def check_volumes(api, ready):
    import sevenbridges

    volumes = api.volumes.query(limit=2)
    assert sorted(volume.id for volume in volumes.all()) == sorted(ready["volumes"])
    assert volumes.total == len(ready["volumes"])
    output = api.volumes.get("sandbox/output")
    assert output.access_mode == "RW" and output.active is True
    assert output.service["type"] == "S3" and output.service["bucket"]
    assert [member.permissions["write"] for member in output.get_members()] == [True]
    refused(sevenbridges.errors.NotFound, 9007, lambda: api.volumes.get("sandbox/none"))


def check_volume_changes(api, ready):
    import sevenbridges

    made = api.volumes.create_s3_volume(
        name="py_volume",
        bucket="lab",
        access_key_id="EXAMPLE-ID",
        secret_access_key="EXAMPLE-SECRET",
        access_mode="RO",
        description="results",
        prefix="",
    )
    assert made.id == "sandbox/py_volume" and made.access_mode == "RO"
    assert made.description == "results" and made.service["credentials"] == {"access_key_id": "EXAMPLE-ID"}
    role = api.volumes.create_s3_volume_role_auth(
        name="py_role",
        bucket="lab2",
        access_mode="RW",
        role_arn="arn:aws:iam::000000000000:role/example",
        external_id="example",
    )
    assert role.service["credentials"]["role_arn"].endswith("role/example")
    google = api.volumes.create_google_volume(
        name="py_google",
        bucket="lab3",
        client_email="svc@example.test",
        private_key="EXAMPLE",
        access_mode="RO",
    )
    assert google.service["type"] == "GCS"
    taken = lambda: api.volumes.create_s3_volume("py_volume", "lab", "A", "S", "RW")
    refused(sevenbridges.errors.Conflict, 9010, taken)

    made.access_mode = "RW"
    made.description = "more results"
    made.save()
    again = api.volumes.get(made.id)
    assert (again.access_mode, again.description) == ("RW", "more results")
    assert again.modified_on >= again.created_on

    member = again.add_member("grace", permissions={"read": True, "copy": True, "write": False, "admin": False})
    assert member.permissions["write"] is False
    member.permissions["write"] = True
    member.save()
    assert again.get_member("grace").permissions["write"] is True
    again.remove_member("grace")
    assert [one.username for one in again.get_members()] == ["sandbox"]

    for volume in (again, role, google):
        volume.active = False
        volume.save()
        refused(sevenbridges.errors.Conflict, 9069, lambda volume=volume: volume.list())
        volume.delete()
        refused(sevenbridges.errors.NotFound, 9007, lambda volume=volume: api.volumes.get(volume.id))


def check_volume_contents(api, ready):
    import sevenbridges

    files = list(api.files.query(project=ready["project"], names=["many"])[0].list_files(limit=7))
    exports = [
        {"file": file, "volume": "sandbox/output", "location": f"list/{file.name[-1]}/{file.name}"}
        for file in files
    ] + [{"file": files[0], "volume": "sandbox/output", "location": "list/top"}]
    for record in api.exports.bulk_submit(exports, copy_only=True):
        assert record.valid, record.error
        finished(record.resource)
    output = api.volumes.get("sandbox/output")
    folders, objects = [], []
    page = output.list(prefix="list/", limit=2)
    while True:
        folders += [prefix.prefix for prefix in page.prefixes]
        objects += [found.location for found in page]
        try:
            page = page.next_page()
        except sevenbridges.errors.PaginationError:
            break
    assert objects == ["list/top"], objects
    assert len(folders) == len(set(folders)) == len({file.name[-1] for file in files}), folders
    found = output.list(prefix=folders[0])
    assert all(each.location.startswith(folders[0]) and each.metadata for each in found)
    info = output.get_volume_object_info("list/top")
    assert info.location == "list/top" and info.volume == "sandbox/output"
    refused(
        sevenbridges.errors.NotFound,
        9105,
        lambda: output.get_volume_object_info("list/none"),
    )


def check_exports(api, ready):
    import sevenbridges

    data = pathlib.Path(ready["data"])
    files = {file.name: file for file in walk(api, project=ready["project"])}

    kept = files["top.txt"]
    job = api.exports.submit_export(kept, "sandbox/output", "e/top.txt", copy_only=True)
    assert job.state == "PENDING" and job.id and job.href
    job = finished(job)
    assert job.state == "COMPLETED", job.error
    assert job.source == kept and job.result == kept
    assert job.destination.volume == "sandbox/output"
    assert job.destination.location == "e/top.txt"
    assert job.properties["sse_algorithm"] == "AES256"
    assert job.overwrite is False and job.started_on <= job.finished_on
    assert (data / "volumes/sandbox/output/e/top.txt").read_text() == "top\n"
    assert api.files.get(kept.id).storage.type == "PLATFORM"

    moved = files["odd #1 (50%).txt"]
    place = data / "projects" / ready["project"] / "deep/er" / moved.name
    assert place.exists()
    job = api.exports.submit_export(
        moved,
        api.volumes.get("sandbox/prefixed"),
        f"e/{moved.name}",
        properties={"sse_algorithm": "aws:kms", "aws_canned_acl": None},
    )
    job = finished(job)
    assert job.state == "COMPLETED", job.error
    assert job.properties["sse_algorithm"] == "aws:kms"
    assert not place.exists(), "the platform's copy is gone"
    alias = api.files.get(moved.id)
    assert alias.storage.type == "VOLUME"
    assert alias.storage.volume == "sandbox/prefixed"
    assert alias.storage.location == f"e/{moved.name}"
    prefix = api.volumes.get("sandbox/prefixed").service["prefix"]
    assert (data / "volumes/sandbox/prefixed" / f"{prefix}/e/{moved.name}").read_text() == "odd\n"

    def export(file, volume):
        return lambda: api.exports.submit_export(file, volume, "e/refused")

    public = api.files.query(project="admin/sbg-public-data")[0]
    folder = api.files.query(project=ready["project"], names=["many"])[0]
    forbidden = sevenbridges.errors.Forbidden
    refused(forbidden, 9006, export(alias, "sandbox/output"))
    refused(forbidden, 9006, export(public, "sandbox/output"))
    refused(forbidden, 9006, export(folder, "sandbox/output"))
    refused(forbidden, 9026, export(kept, "sandbox/readonly"))
    refused(forbidden, 9057, export(kept, "sandbox/google"))
    refused(sevenbridges.errors.NotFound, 9007, export(kept, "sandbox/none"))
    refused(sevenbridges.errors.NotFound, 9009, export("0" * 24, "sandbox/output"))
    refused(sevenbridges.errors.NotFound, 9008, lambda: api.exports.get("0" * 32))

    job = finished(api.exports.submit_export(kept, "sandbox/output", "e/top.txt"))
    assert (job.state, job.error.code, job.error.status) == ("FAILED", 9107, 409)
    job = api.exports.submit_export(
        kept, "sandbox/output", "e/top.txt", overwrite=True, copy_only=True
    )
    assert finished(job).state == "COMPLETED"


def check_export_lists(api, ready):
    everything = api.exports.query(limit=3)
    ids = [job.id for job in everything.all()]
    assert len(ids) == len(set(ids)) == everything.total > 3
    failed = api.exports.query(volume="sandbox/output", state="FAILED")
    assert [job.error.code for job in failed] == [9107]
    both = api.exports.query(state=["FAILED", "COMPLETED"])
    assert both.total == everything.total
    prefixed = api.volumes.get("sandbox/prefixed").get_exports()
    assert [job.destination.volume for job in prefixed] == ["sandbox/prefixed"]


def check_documented_bulk_loop(api, ready):
    """As the client's manual has it: submit in chunks, ask in bulk until nothing is left."""
    folder = api.files.query(project=ready["project"], names=["many"])[0]
    exports = [
        {"file": file, "volume": "sandbox/output", "location": f"bulk/{file.name}"}
        for file in folder.list_files(limit=100).all()
    ]
    exports[3]["volume"] = "sandbox/readonly"
    jobs, refusals = [], []
    for begin in range(0, len(exports), 100):
        for record in api.exports.bulk_submit(exports[begin : begin + 100]):
            (jobs if record.valid else refusals).append(record)
    assert [record.error.code for record in refusals] == [9026]
    waiting = [record.resource for record in jobs]
    while waiting:
        chunk, waiting = waiting[:100], waiting[100:]
        for record in api.exports.bulk_get(chunk):
            assert record.valid, record.error
            assert record.resource.state != "FAILED", record.resource.error
            if record.resource.state != "COMPLETED":
                waiting.append(record.resource)
        time.sleep(0.02)
    objects = pathlib.Path(ready["data"]) / "volumes/sandbox/output/bulk"
    assert len(list(objects.iterdir())) == 204
    unknown = api.exports.bulk_get(["0" * 32])[0]
    assert not unknown.valid and unknown.error.code == 9008


def check_wrong_tokens(api, ready):
    import sevenbridges

    stranger = connect(ready, token="0123456789abcdef0123456789abcdef")
    refused(sevenbridges.errors.Unauthorized, 90001, stranger.users.me)


def check_ledger(api, ready):
    """The judge agrees, and nobody sent the token astray."""
    import requests

    address = ready["endpoint"].removesuffix("/v2") + "/_sandbox/ledger"
    token = {"X-SBG-Auth-Token": ready["token"]}
    ledger = requests.get(address, headers=token, timeout=60).json()
    assert ledger["stray_tokens"] == {}, ledger["stray_tokens"]
    assert ledger["states"]["PENDING"] == ledger["states"]["RUNNING"] == 0
    assert ledger["starts"] == api.exports.query().total == sum(ledger["states"].values())
    assert ledger["objects_overwritten"] == 1


def check_tasks(program, scratch):
    """Tasks of a scenario, found by project, status and time, and read in bulk."""
    import datetime

    tasks = ["6f2a1b3c-0000-4000-8000-00000000000%d" % number for number in (1, 2)]
    files = [{"path": "run/a.vcf", "content": "a", "task": tasks[0]}]
    described = [{"id": tasks[1], "outputs": {"out": {"class": "File", "path": "run/a.vcf"}}}]
    project = {"id": "lab/trio", "files": files, "tasks": described}
    scenario = scratch / "scenario.json"
    scenario.write_text(json.dumps({"projects": [project]}))
    with sandbox(program, "--scenario", scenario) as ready:
        api = connect(ready)
        found = api.tasks.query(project="lab/trio", status="COMPLETED")
        assert sorted(task.id for task in found.all()) == tasks
        assert api.tasks.query(project="lab/trio", status="RUNNING").total == 0
        old = datetime.datetime(2001, 1, 1)
        assert api.tasks.query(created_to=old).total == 0
        assert api.tasks.query(created_from=old).total == 2
        assert [task.id for task in api.projects.get("lab/trio").get_tasks()] != []
        task = api.tasks.get(tasks[1])
        assert task.status == "COMPLETED" and task.outputs["out"].name == "a.vcf"
        records = api.tasks.bulk_get([tasks[0], "none"])
        assert [record.valid for record in records] == [True, False]
        assert records[1].error.code == 7002


def check_rate_limit(program):
    import sevenbridges
    from sevenbridges.http.error_handlers import rate_limit_sleeper

    with sandbox(program, "--rate-limit", "5/2") as ready:
        api = connect(ready)
        assert api.limit == 5
        try:
            for _ in range(7):
                api.users.me()
        except sevenbridges.errors.TooManyRequests as error:
            assert error.code == 1000
        else:
            raise AssertionError("nobody counted")
        patient = connect(ready, error_handlers=[rate_limit_sleeper])
        for _ in range(12):
            assert patient.users.me().username


CHECKS = [
    check_users,
    check_credentials_file,
    check_projects,
    check_files,
    check_scrolling,
    check_volumes,
    check_volume_changes,
    check_volume_contents,
    check_exports,
    check_export_lists,
    check_documented_bulk_loop,
    check_wrong_tokens,
    check_ledger,
]


def plant(source):
    (source / "deep/er").mkdir(parents=True)
    (source / "many").mkdir()
    (source / "top.txt").write_text("top\n")
    (source / "deep/a.txt").write_text("a\n")
    (source / "deep/b.txt").write_text("b\n")
    (source / "deep/er/c.txt").write_text("c\n")
    (source / "deep/er/odd #1 (50%).txt").write_text("odd\n")
    for number in range(205):
        (source / f"many/{number:03}").write_text(f"{number}\n")


def main(program):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        plant(scratch / "source")
        arguments = ("--data", scratch / "data", "--project-from", scratch / "source")
        with sandbox(program, *arguments) as ready:
            api = connect(ready)
            for check in CHECKS:
                check(api, ready)
                print("ok", check.__name__, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        check_tasks(program, pathlib.Path(scratch))
    print("ok check_tasks")
    check_rate_limit(program)
    print("ok check_rate_limit")


if __name__ == "__main__":
    main(sys.argv[1])
