"""Generated examples: as slow as a busy machine makes them, and kept nowhere."""

from hypothesis import settings

settings.register_profile("unit", deadline=None, database=None, max_examples=50)
settings.load_profile("unit")
