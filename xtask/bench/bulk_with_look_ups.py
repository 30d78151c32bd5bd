"""A hundred files per call, each looked up before, and all unfinished jobs asked after in turn: as users write it."""

import time

from common import POLL_SECONDS, VOLUME, connect, ended, files, hundreds, resource

api = connect()
unfinished = []
for batch in hundreds(files(api)):
    exports = [
        {"file": api.files.get(file_id), "volume": VOLUME, "location": path}
        for file_id, path in batch
    ]
    unfinished += [resource(record).id for record in api.exports.bulk_submit(exports)]
while unfinished:
    time.sleep(POLL_SECONDS)
    jobs = [
        resource(record)
        for batch in hundreds(unfinished)
        for record in api.exports.bulk_get(batch)
    ]
    unfinished = [job.id for job in jobs if not ended(job)]
