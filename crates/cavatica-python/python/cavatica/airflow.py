"""An operator for Airflow 3.3: a transfer as a job that a retry reconnects to, instead of sending twice."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Collection, Mapping, Sequence

from airflow.sdk import BaseHook, BaseOperator, ResumableJobMixin
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from cavatica._error import INTERRUPTED, SOME_FAILED, UNKNOWN
from cavatica._transfer import Transfer, plan

if TYPE_CHECKING:
    from cavatica._documents import Summary
    from cavatica._transfer import Mode

#: Failures that go into the XCom; the transfer's file and its report have all of them.
FAILURES = 100


class CavaticaTransferOperator(ResumableJobMixin, BaseOperator):
    """Plan a transfer, run it to its end, and return its summary as the task's XCom.

    The job's handle is the transfer's file: it lies in a folder that every worker sees, and knows what was sent. A
    retry goes on with it, whatever became of the worker. A file that is there already is run as it is, so a plan that
    somebody looked at can be handed over with `approve`.

    A worker that is killed takes the program with it, in order: nothing more is sent, and jobs that the platform has
    accepted go on there.

    Args:
        transfer: the transfer's file.
        project: as for `cavatica.plan`, and so are the others down to `prefix`.
        volume: the volume's id.
        bucket: instead, the bucket behind it.
        mode: ``move`` or ``copy``.
        prefix: what every location begins with.
        plan_options: further arguments of `cavatica.plan`, as ``{"on": {"alias": "skip"}}``.
        approve: run only the plan with this fingerprint; without it whatever the file holds.
        run_options: further arguments of `Transfer.run`, as ``{"reserve": 30}``.
        fail_on: the endings that fail the task: 3, some files failed, and 7, the outcome of some isn't known. Leave one
            out to go on with what has arrived. An interruption (6) fails it always, to be retried.
        cavatica_conn_id: a connection with the endpoint as its host and the token as its password; without it the
            account is found in the worker's environment or profile.

    """

    template_fields: Sequence[str] = (
        "transfer",
        "project",
        "volume",
        "bucket",
        "prefix",
        "plan_options",
        "approve",
    )
    external_id_key = "cavatica_transfer"

    def __init__(
        self,
        *,
        transfer: str,
        project: str | None = None,
        volume: str | None = None,
        bucket: str | None = None,
        mode: Mode | None = None,
        prefix: str = "",
        plan_options: Mapping[str, Any] | None = None,
        approve: str | None = None,
        run_options: Mapping[str, Any] | None = None,
        fail_on: Collection[int] = (SOME_FAILED, UNKNOWN),
        cavatica_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.transfer = transfer
        self.project = project
        self.volume = volume
        self.bucket = bucket
        self.mode = mode
        self.prefix = prefix
        self.plan_options = plan_options
        self.approve = approve
        self.run_options = run_options
        self.fail_on = fail_on
        self.cavatica_conn_id = cavatica_conn_id

    def execute(self, context: Any) -> Any:
        """Run the transfer, or go on with it."""
        return self.execute_resumable(context)

    def submit_job(self, context: Any) -> str:  # noqa: ARG002
        """Plan the transfer. Nothing is sent before its file is remembered."""
        path = Path(self.transfer)
        if path.exists() or self.mode is None:
            # Planned by somebody else; or by a try that died before Airflow knew of it.
            self._open(self.transfer)
        else:
            plan(
                path,
                project=self.project,
                volume=self.volume,
                bucket=self.bucket,
                mode=self.mode,
                prefix=self.prefix,
                **{**self._account(), **(self.plan_options or {})},
            )
        return str(path.absolute())

    def get_job_status(self, external_id: Any, context: Any) -> str:  # noqa: ARG002
        """Return ``done`` or ``open``: failed files are the transfer's own business, never a reason for a new one."""
        return "done" if self._open(external_id).status().state == "done" else "open"

    def is_job_active(self, status: str) -> bool:
        """Whether there is something to go on with."""
        return status == "open"

    def is_job_succeeded(self, status: str) -> bool:
        """Whether every file has arrived."""
        return status == "done"

    def poll_until_complete(self, external_id: Any, context: Any) -> Any:  # noqa: ARG002
        """Send what is left, and follow it to its end."""
        consent = {"approve": self.approve} if self.approve else {"yes": True}
        summary = self._open(external_id).run(**{**consent, **(self.run_options or {})})
        self._judge(summary)
        return xcom(summary)

    def get_job_result(self, external_id: Any, context: Any) -> Any:  # noqa: ARG002
        """Return how the transfer stands."""
        return xcom(self._open(external_id).status())

    def _open(self, transfer: str) -> Transfer:
        return Transfer.open(transfer, **self._account())

    def _account(self) -> dict[str, Any]:
        if self.cavatica_conn_id is None:
            return {}
        connection = BaseHook.get_connection(self.cavatica_conn_id)
        return {"token": connection.password, "endpoint": connection.host or None}

    def _judge(self, summary: Summary) -> None:
        names = ("completed", "failed", "unknown", "left")
        message = "files: " + ", ".join(f"{getattr(summary, name)} {name}" for name in names)
        if summary.error is not None:
            message += f": {summary.error}"
        if summary.exit_code == INTERRUPTED:
            raise AirflowException(f"interrupted; a retry goes on: {message}")
        if summary.exit_code in self.fail_on:
            raise AirflowFailException(message)
        # A run that found nothing to do says nothing about what failed before.
        if (summary.failed and SOME_FAILED in self.fail_on) or (summary.unknown and UNKNOWN in self.fail_on):
            raise AirflowFailException(message)


def xcom(summary: Summary) -> dict[str, Any]:
    """Return a summary as plain values, with the first failures."""
    values = asdict(summary)
    values["error"] = str(summary.error) if summary.error else None
    values["failures"] = list(values["failures"][:FAILURES])
    return values
