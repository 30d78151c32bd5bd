"""The best loop that can be written with the client: nothing is looked up that the list has told, a hundred files per
call, and of the jobs only the oldest hundred are asked after until they have ended."""

import time

from common import POLL_SECONDS, VOLUME, connect, ended, files, hundreds, resource

api = connect()
batches = []
for batch in hundreds(files(api)):
    exports = [
        {"file": file_id, "volume": VOLUME, "location": path} for file_id, path in batch
    ]
    records = api.exports.bulk_submit(exports)
    batches.append([resource(record).id for record in records])
for unfinished in batches:
    while unfinished:
        jobs = [resource(record) for record in api.exports.bulk_get(unfinished)]
        unfinished = [job.id for job in jobs if not ended(job)]
        if unfinished:
            time.sleep(POLL_SECONDS)
