"""What a worker process finds as ``py4j`` when its program has installed ``penstock.pyflink_compat``."""

import importlib
import sys

from penstock.pyflink_compat import install

install()
del sys.modules[__name__]
importlib.import_module(__name__)
