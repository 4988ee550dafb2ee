"""For all tests: property tests are reproducible in CI, and random (with their failures kept) elsewhere."""

import os

from hypothesis import settings

# A loaded machine makes single examples slow: their time says nothing.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
