"""What a JobManager consists of: TaskManagers, jobs, the REST API; in whatever process it runs."""

import logging
import threading
from collections.abc import Callable

from penstock.cli.cluster_settings import ClusterSettings
from penstock.deploy.cluster.addresses import address_of, rest_address
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.deploy.cluster.dispatcher import RESULTS, Dispatcher
from penstock.deploy.cluster.job_defaults import job_defaults
from penstock.deploy.cluster.leadership import Epochs, Leadership, NoLongerLeading
from penstock.deploy.cluster.reactive import ReactiveScaling, reactive_settings
from penstock.deploy.cluster.roster import Listening, Roster
from penstock.deploy.cluster.secret import cluster_secret, signing_key, submission_proof
from penstock.deploy.cluster.security import asks_clients, internal_tls, rest_tls
from penstock.errors import OutsideError, PenstockError
from penstock.metrics.readings import Reading
from penstock.metrics.reporters.reporting import Reporting
from penstock.metrics.reporters.tracing import Tracing
from penstock.metrics.system_resources import SystemResources
from penstock.metrics.traces import Span
from penstock.storage.reading import absolute_path

TELL_S = 0.5

_log = logging.getLogger("penstock")


class Coordination:
    """It has its ports once it is made, and leads from :meth:`start` on. ``log`` is how the names of its files begin;
    ``stopped`` is called when a client has stopped the cluster, after the TaskManagers were told.

    :raises PenstockError: where it cannot listen, or has no secret.
    """

    def __init__(self, settings: ClusterSettings, log: str, stopped: Callable[[], None]) -> None:
        from penstock.web.rest.api import Api
        from penstock.web.rest.server import RestServer

        self._settings = settings
        self._stopped = stopped
        secret = cluster_secret(settings.run_dir)
        options = settings.options
        self.roster = Roster(
            secret,
            Listening(
                address_of(options.get("jobmanager.bind-host") or options["jobmanager.rpc.address"]),
                settings.number("jobmanager.rpc.port"),
                address_of(options["jobmanager.rpc.address"]),
                internal_tls(options),
            ),
            settings.seconds("heartbeat.timeout", 50.0),
        )
        storage = settings.storage_dir or str(settings.run_dir)
        self.leadership = Leadership(Epochs(storage))
        patience_s = settings.seconds("slot.request.timeout", 300.0)
        self.dispatcher = Dispatcher(
            self.roster,
            storage,
            patience_s,
            self.leadership.check,
            settings.run_dir / "files",
            (settings.results_dir or f"{storage}/{RESULTS}", str(settings.run_dir / RESULTS)),
        )
        self.dispatcher.on_ended = self._archive
        self.dispatcher.defaults = job_defaults(options)
        reactive = reactive_settings(options)
        self._scaling = None if reactive is None else ReactiveScaling(self.dispatcher, self.roster, reactive)
        self._machine = SystemResources.of(options)
        self._api = api = Api(
            self.dispatcher,
            self.roster,
            options,
            self._stop_cluster,
            submission_proof(secret),
            options.get("rest.token"),
            f"{log}.log",
            f"{log}.out",
            settings.run_dir,
            (rest_address(options), 0),
            signing_key=signing_key(secret, options.get("rest.token")),
            machine=self._machine,
        )
        self.reporting = Reporting(options, self._readings)
        self.tracing = Tracing(options, self._spans)
        host = address_of(options["rest.bind-address"])
        self.server = RestServer(api, host, settings.ports(), rest_tls(options), asks_clients(options))

    def start(self) -> None:
        """Take the lead, take up the jobs that were left, and begin to answer."""
        from penstock.web.rest.programs import forget_configurations

        roster, server = self.roster, self.server
        # The ports are had by now: a JobManager that cannot start takes the lead from nobody.
        roster.epoch = self.leadership.take()
        forget_configurations(self._settings.run_dir)
        self.leadership.publish(roster.address, roster.port, *server.address)
        roster.start()
        self.dispatcher.take_up_again()
        if self._scaling is not None:
            self._scaling.start()
        server.start()
        self.reporting.start()
        self.tracing.start()
        (self._settings.run_dir / "rest.port").write_text(str(server.port), encoding="ascii")
        _log.info(
            "the JobManager with epoch %d listens on %s:%d, its REST API on %s:%d",
            roster.epoch,
            roster.host,
            roster.port,
            server.host,
            server.port,
        )

    def _archive(self, job: DispatchedJob) -> None:
        """Note a job that has ended for the history server; that it cannot be noted is no failure of the job."""
        directory = self._settings.options.get("jobmanager.archive.fs.dir")
        if not directory:
            return
        from penstock.web.history.archiving import archive_job

        try:
            archive_job(self._api, absolute_path(directory), job)
        except PenstockError as error:
            _log.warning("job %r (%s) cannot be archived in %s: %s", job.name, job.id, directory, error)

    def leads(self) -> bool:
        """Whether no newer JobManager is known of; where there is one, nothing of what this one has belongs to it."""
        try:
            self.leadership.check()
        except NoLongerLeading as error:
            _log.error("%s; it ends", error)
            return False
        except OutsideError as error:
            _log.warning("it cannot be told who leads: %s", error)
        return True

    def close(self) -> None:
        """Answer no more. Jobs are not waited for: they are taken up again."""
        if self._scaling is not None:
            self._scaling.close()
        self.reporting.close()
        self.tracing.close()
        self._api.applications.close()
        self.server.close()
        self.roster.close()
        self.dispatcher.close()

    def _readings(self) -> list[Reading]:
        from penstock.deploy.measured import readings

        jobs, places = self.dispatcher.jobs(), self.roster.counted()
        return list(readings(jobs, places, self.roster.host, self._machine))

    def _spans(self) -> dict[object, Span]:
        from penstock.deploy.traced import spans

        return spans(self.dispatcher.jobs(), self.roster.host)

    def _stop_cluster(self) -> None:
        self.roster.dismiss_all()
        threading.Timer(TELL_S, self._stopped).start()
