"""What holds for every test."""

import os

from hypothesis import settings

# A loaded machine is not a bug, so no example has a deadline. Continuous integration draws the same examples each time,
# so that a red run can be repeated; a developer's machine keeps looking for new ones.
settings.register_profile("developer", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
