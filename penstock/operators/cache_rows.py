"""Passes records on and keeps them for later jobs."""

from dataclasses import dataclass

from penstock.data.batch import RowBatch
from penstock.errors import PenstockError
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.user_code import user_error
from penstock.storage.cached_rows import CachedRows


@dataclass(frozen=True, slots=True)
class CacheRowsSpec(OperatorSpec):
    """Where the rows are kept; a job that finds them complete reads them in place of everything above."""

    rows: CachedRows

    def build(self, context: OperatorContext) -> Operator:
        return CacheRows(self.rows, context)


class CacheRows(Operator):
    """Writes one part. A restored attempt cannot know what the part lacks, so it keeps nothing and the next job computes
    the rows again."""

    def __init__(self, rows: CachedRows, context: OperatorContext) -> None:
        super().__init__(context)
        self._part = rows.write_part(
            context.subtask_index, context.parallelism, f"{context.job_id}-{context.attempt}"
        )
        self._keeps = True

    def open(self) -> None:
        self._keeps = self.context.restored_checkpoint_id is None

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if self._keeps:
            try:
                self._part.append(batch.values, batch.timestamps)
            except PenstockError as error:
                raise error.at(self.context.place) from error.__cause__
            except Exception as error:
                raise user_error(self.context, error) from error
        self.output.emit(batch)

    def finish(self) -> None:
        if self._keeps:
            self._part.finish()
            self._keeps = False

    def close(self) -> None:
        if self._keeps:
            self._part.discard()
