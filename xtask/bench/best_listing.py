"""The best loop that collects by listing: a moved file lies on the volume, which its folder's list shows. Folders are
scrolled, a thousand entries a request, to find the files and to see them arrive; of a folder's jobs only the last is asked
after, and the folder is listed once that has ended."""

import time

from common import POLL_SECONDS, PROJECT, VOLUME, connect, ended, hundreds, resource, scroll

api = connect()
folders = [("", {"project": PROJECT})]
begun = []
while folders:
    path, where = folders.pop()
    files, job = [], None
    for entry in scroll(api, where):
        if entry.is_folder():
            folders.append((f"{path}{entry.name}/", {"parent": entry.id}))
        else:
            files.append((entry.id, path + entry.name))
    for batch in hundreds(files):
        exports = [
            {"file": file_id, "volume": VOLUME, "location": location}
            for file_id, location in batch
        ]
        for record in api.exports.bulk_submit(exports):
            job = resource(record)
    if files:
        begun.append((where, len(files), job))
for where, count, job in begun:
    while not ended(job):
        time.sleep(POLL_SECONDS)
        job = api.exports.get(job.id)
    while sum(entry.storage.type == "VOLUME" for entry in scroll(api, where)) < count:
        time.sleep(POLL_SECONDS)
