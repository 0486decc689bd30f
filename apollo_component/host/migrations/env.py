"""Alembic's environment: always the engine that the store hands in, one exclusive transaction."""

from alembic import context

engine = context.config.attributes["engine"]
with engine.connect().execution_options(write="FULL") as connection:
    context.configure(connection=connection, version_table="host_schema", transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
