SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.host_apps (
    id character varying(32) NOT NULL,
    name character varying(200),
    connector character varying(100) NOT NULL,
    client_id character varying(500) NOT NULL,
    secret bytea NOT NULL,
    redirect_uris_json text NOT NULL,
    version integer NOT NULL,
    created_at double precision NOT NULL
);
CREATE TABLE public.host_connections (
    id character varying(32) NOT NULL,
    name character varying(200) NOT NULL,
    connector character varying(100) NOT NULL,
    type character varying(100) NOT NULL,
    app_id character varying(32),
    status character varying(40) NOT NULL,
    reason text NOT NULL,
    since double precision NOT NULL,
    version integer NOT NULL,
    secret bytea NOT NULL,
    scopes_json text,
    issued_at double precision,
    expires_at double precision,
    refresh_sent_at double precision,
    account_json text NOT NULL,
    missed_json text NOT NULL,
    tested_at double precision,
    created_at double precision NOT NULL
);
CREATE TABLE public.host_history (
    id integer NOT NULL,
    connection_id character varying(32) NOT NULL,
    at double precision NOT NULL,
    event character varying(40) NOT NULL,
    text text NOT NULL
);
CREATE SEQUENCE public.host_history_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.host_history_id_seq OWNED BY public.host_history.id;
CREATE TABLE public.host_journal (
    run character varying(64) NOT NULL,
    step character varying(100) NOT NULL,
    item character varying(40) NOT NULL,
    attempt integer NOT NULL,
    action character varying(100) NOT NULL,
    effect character varying(10) NOT NULL,
    state character varying(20) NOT NULL,
    owner_version integer NOT NULL,
    worst double precision,
    spent double precision,
    paid_twice double precision NOT NULL,
    sent_at double precision NOT NULL,
    received_at double precision,
    status_code integer,
    headers_json text,
    body bytea,
    note text NOT NULL
);
CREATE TABLE public.host_keys (
    id character varying(16) NOT NULL,
    check_value character varying(64) NOT NULL,
    created_at double precision NOT NULL
);
CREATE TABLE public.host_leases (
    name character varying(200) NOT NULL,
    owner character varying(100) NOT NULL,
    version integer NOT NULL,
    until double precision NOT NULL
);
CREATE TABLE public.host_permits (
    id character varying(32) NOT NULL,
    scope character varying(100) NOT NULL,
    operation character varying(100) NOT NULL,
    until double precision NOT NULL
);
CREATE TABLE public.host_records (
    run character varying(64) NOT NULL,
    step character varying(100) NOT NULL,
    seq bigint NOT NULL,
    "json" text NOT NULL
);
CREATE TABLE public.host_runs (
    id character varying(64) NOT NULL,
    kind character varying(20) NOT NULL,
    title character varying(200) NOT NULL,
    status character varying(40) NOT NULL,
    detail_json text NOT NULL,
    text text NOT NULL,
    inputs_json text NOT NULL,
    budget double precision,
    engine_id character varying(80) NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL,
    ended_at double precision
);
CREATE TABLE public.host_schema (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.host_steps (
    run character varying(64) NOT NULL,
    step character varying(100) NOT NULL,
    "position" integer NOT NULL,
    status character varying(40) NOT NULL,
    summary_json text NOT NULL
);
CREATE TABLE public.host_windows (
    scope character varying(100) NOT NULL,
    operation character varying(100) NOT NULL,
    name character varying(10) NOT NULL,
    quota integer,
    "left" integer NOT NULL,
    resets_at double precision NOT NULL,
    exact boolean NOT NULL,
    seen_at double precision NOT NULL
);
ALTER TABLE ONLY public.host_history ALTER COLUMN id SET DEFAULT nextval('public.host_history_id_seq'::regclass);
INSERT INTO public.host_apps VALUES ('app1', 'team', 'demo', 'client-1', '\x7768313135343338303862e127b8a0623df29de85fd78599c1425a86a937445ab38047165bc130f369af28fe9edafb7e532380b8eadd3c57c265de', '["http://127.0.0.1:8765/callback"]', 1, 1790000000);
INSERT INTO public.host_connections VALUES ('c1', 'theirs', 'demo', 'oauth2', 'app1', 'active', '', 1790000000, 3, '\x7768313135343338303862927881ef5d6f1aaac2da3cbb14812354c109958a3c938727465735453eca8f1b57e5273e16843a2c0f8427670ac0ab646122a0006730dac963deadcda60f5064acbfc00104d6fdbfe6ff6c5492966cfb7564076bdba782019b692868f5', '["find_scope"]', 1790000000, 1792592000, NULL, '{"id":"u1","team_id":"t1","name":"Zoë","email":""}', '{}', NULL, 1790000000);
INSERT INTO public.host_history VALUES (1, 'c1', 1790000000, 'linked', 'linked by oauth2');
INSERT INTO public.host_journal VALUES ('run1', 'enrich', '0', 1, 'pay', 'bill', 'received', 1, 2, 2, 0, 1790000000, 1790000001, 200, '{}', '\x7b227265636f726473223a5b315d7d', '');
INSERT INTO public.host_journal VALUES ('run1', 'enrich', '1', 1, 'pay', 'bill', 'in_doubt', 1, 2, NULL, 0, 1790000000, NULL, NULL, NULL, NULL, 'lost');
INSERT INTO public.host_keys VALUES ('1543808b', '509e0722d7bb72f4f057ad5e4ab786eeb7045555d445942b97330ab678cb72cb', 1790000000);
INSERT INTO public.host_leases VALUES ('run:run1', '', 4, 0);
INSERT INTO public.host_permits VALUES ('p1', 'team:t1', 'find', 1790000120);
INSERT INTO public.host_records VALUES ('run1', 'enrich', 10000000000, '{"id":"p1"}');
INSERT INTO public.host_runs VALUES ('run1', 'workflow', 'Old run', 'waiting_for_budget', '{"step":"enrich"}', 'name: Old run', '{"inputs":{"place":"Zoë"},"connections":{"a":"c1"}}', 20, '', 1790000000, 1790000000, NULL);
INSERT INTO public.host_schema VALUES ('0001');
INSERT INTO public.host_steps VALUES ('run1', 'enrich', 0, 'unfinished', '{"requests":2}');
INSERT INTO public.host_windows VALUES ('team:t1', 'find', 'day', 600, 599, 1790086400, true, 1790000000);
SELECT pg_catalog.setval('public.host_history_id_seq', 1, false);
ALTER TABLE ONLY public.host_apps
    ADD CONSTRAINT host_apps_name_key UNIQUE (name);
ALTER TABLE ONLY public.host_apps
    ADD CONSTRAINT host_apps_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_connections
    ADD CONSTRAINT host_connections_name_key UNIQUE (name);
ALTER TABLE ONLY public.host_connections
    ADD CONSTRAINT host_connections_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_history
    ADD CONSTRAINT host_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_journal
    ADD CONSTRAINT host_journal_pkey PRIMARY KEY (run, step, item, attempt);
ALTER TABLE ONLY public.host_keys
    ADD CONSTRAINT host_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_leases
    ADD CONSTRAINT host_leases_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.host_permits
    ADD CONSTRAINT host_permits_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_records
    ADD CONSTRAINT host_records_pkey PRIMARY KEY (run, step, seq);
ALTER TABLE ONLY public.host_runs
    ADD CONSTRAINT host_runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_schema
    ADD CONSTRAINT host_schema_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.host_steps
    ADD CONSTRAINT host_steps_pkey PRIMARY KEY (run, step);
ALTER TABLE ONLY public.host_windows
    ADD CONSTRAINT host_windows_pkey PRIMARY KEY (scope, operation, name);
CREATE INDEX host_permits_of ON public.host_permits USING btree (scope, operation);
CREATE INDEX ix_host_history_connection_id ON public.host_history USING btree (connection_id);
ALTER TABLE ONLY public.host_connections
    ADD CONSTRAINT host_connections_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.host_apps(id);
