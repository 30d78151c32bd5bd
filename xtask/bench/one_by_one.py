"""One file at a time, as the client's documentation shows it: look the file up, start its export, reload the job."""

import time

from common import POLL_SECONDS, VOLUME, connect, ended, files

api = connect()
jobs = []
for file_id, path in files(api):
    file = api.files.get(file_id)
    jobs.append(api.exports.submit_export(file=file, volume=VOLUME, location=path))
for job in jobs:
    job.reload()
    while not ended(job):
        time.sleep(POLL_SECONDS)
        job.reload()
