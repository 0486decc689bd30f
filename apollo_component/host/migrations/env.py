"""Alembic's environment: always inside the transaction that the store hands in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="host_schema")
context.run_migrations()
