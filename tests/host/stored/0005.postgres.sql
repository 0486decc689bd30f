SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.host_api_tokens (
    id character varying(32) NOT NULL,
    name character varying(200) NOT NULL,
    token_hash character varying(64) NOT NULL,
    created_at double precision NOT NULL,
    expires_at double precision,
    used_at double precision
);
CREATE TABLE public.host_apps (
    id character varying(32) NOT NULL,
    name character varying(200),
    connector character varying(100) NOT NULL,
    client_id character varying(500) NOT NULL,
    secret bytea NOT NULL,
    redirect_uris_json text NOT NULL,
    version integer NOT NULL,
    created_at double precision NOT NULL,
    servers_json text
);
CREATE TABLE public.host_attempts (
    id character varying(32) NOT NULL,
    browser_hash character varying(64) NOT NULL,
    state_hash character varying(64) NOT NULL,
    session character varying(32) NOT NULL,
    owner character varying(200) NOT NULL,
    name character varying(200) NOT NULL,
    connector character varying(100) NOT NULL,
    type character varying(100) NOT NULL,
    connection_id character varying(32),
    again boolean NOT NULL,
    app_id character varying(32),
    redirect_uri text NOT NULL,
    scopes_json text NOT NULL,
    actions_json text NOT NULL,
    status character varying(20) NOT NULL,
    result_json text NOT NULL,
    created_at double precision NOT NULL,
    ends_at double precision NOT NULL,
    servers_json text
);
CREATE TABLE public.host_connect_sessions (
    id character varying(32) NOT NULL,
    token_hash character varying(64) NOT NULL,
    owner character varying(200) NOT NULL,
    name character varying(200) NOT NULL,
    connector character varying(100) NOT NULL,
    types_json text NOT NULL,
    app_id character varying(32),
    actions_json text NOT NULL,
    return_url text NOT NULL,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    opened_at double precision,
    ended_at double precision,
    connection_id character varying(32)
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
    created_at double precision NOT NULL,
    owner character varying(200) DEFAULT ''::character varying NOT NULL,
    servers_json text
);
CREATE TABLE public.host_deliveries (
    token_hash character varying(64) NOT NULL,
    run character varying(64) NOT NULL,
    step character varying(100) NOT NULL,
    item character varying(40) NOT NULL,
    connection character varying(32) NOT NULL,
    source character varying(100) NOT NULL,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    received_at double precision,
    body bytea
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
    created_at double precision NOT NULL,
    state character varying(10) DEFAULT 'current'::character varying NOT NULL,
    retired_at double precision
);
CREATE TABLE public.host_leases (
    name character varying(200) NOT NULL,
    owner character varying(100) NOT NULL,
    version integer NOT NULL,
    until double precision NOT NULL
);
CREATE TABLE public.host_quotas (
    scope character varying(100) NOT NULL,
    operation character varying(100) NOT NULL,
    state_json text NOT NULL
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
    ended_at double precision,
    workflow character varying(200) DEFAULT ''::character varying NOT NULL,
    subscription character varying(32) DEFAULT ''::character varying NOT NULL,
    unattended boolean DEFAULT false NOT NULL
);
CREATE TABLE public.host_schema (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.host_seen (
    subscription character varying(32) NOT NULL,
    record character varying(200) NOT NULL,
    version character varying(200) NOT NULL,
    mark character varying(64) NOT NULL,
    count integer NOT NULL,
    sweep integer NOT NULL,
    at double precision NOT NULL
);
CREATE TABLE public.host_steps (
    run character varying(64) NOT NULL,
    step character varying(100) NOT NULL,
    "position" integer NOT NULL,
    status character varying(40) NOT NULL,
    summary_json text NOT NULL
);
CREATE TABLE public.host_subscriptions (
    id character varying(32) NOT NULL,
    name character varying(200) NOT NULL,
    text text NOT NULL,
    connections_json text NOT NULL,
    inputs_json text NOT NULL,
    budget double precision,
    enabled boolean NOT NULL,
    since double precision,
    cursor text,
    sweep integer NOT NULL,
    swept integer NOT NULL,
    full_at double precision NOT NULL,
    next_at double precision NOT NULL,
    polled_at double precision,
    failures integer NOT NULL,
    error_json text NOT NULL,
    created_at double precision NOT NULL,
    looked_json text DEFAULT '{}'::text NOT NULL
);
CREATE TABLE public.host_workers (
    id character varying(100) NOT NULL,
    machine character varying(200) NOT NULL,
    pid integer NOT NULL,
    slots integer NOT NULL,
    began_at double precision NOT NULL,
    beat_at double precision NOT NULL
);
ALTER TABLE ONLY public.host_history ALTER COLUMN id SET DEFAULT nextval('public.host_history_id_seq'::regclass);
INSERT INTO public.host_api_tokens VALUES ('t1', 'engine', '4444444444444444444444444444444444444444444444444444444444444444', 1790000000, NULL, NULL);
INSERT INTO public.host_apps VALUES ('app1', 'team', 'demo', 'client-1', '\x7768323135343338303862c63f2a079eeaf7e618a55d8d2725136f6548c9b62107382520bea8ec014eaa7f3a30ef476e0eb97d89ceb8d75b1be265', '["http://127.0.0.1:8765/callback"]', 1, 1790000000, '{"api":"https://api.test","oauth":"https://login.test"}');
INSERT INTO public.host_attempts VALUES ('a1', '2222222222222222222222222222222222222222222222222222222222222222', '3333333333333333333333333333333333333333333333333333333333333333', 's1', 'Acme', 'theirs', 'demo', 'oauth2', NULL, false, 'app1', 'http://127.0.0.1:8765/callback', '[]', '[]', 'waiting', '{}', 1790000000, 1790000600, '{"api":"https://api.test","oauth":"https://login.test"}');
INSERT INTO public.host_connect_sessions VALUES ('s1', '1111111111111111111111111111111111111111111111111111111111111111', 'Acme', '', 'demo', '["oauth2"]', 'app1', '[]', '', 1790000000, 10790000000, NULL, NULL, NULL);
INSERT INTO public.host_connections VALUES ('c1', 'theirs', 'demo', 'oauth2', 'app1', 'active', '', 1790000000, 3, '\x776832313534333830386226e3e1ec51bd2700c6a41efa90f672ed93789be1ea664740c346358ee4e5969d1993c4a3e6d2b66cbc19e616c40ecaac2b36d4164e04095a3724f4f65b825e19ce789ecd5ed3541acf601c2c4188b886b84a679738c5177f95fecd324c', '["find_scope"]', 1790000000, 1792592000, NULL, '{"id":"u1","team_id":"t1","name":"Zoë","email":""}', '{}', NULL, 1790000000, 'Acme', '{"api":"https://api.test","oauth":"https://login.test"}');
INSERT INTO public.host_deliveries VALUES ('0000000000000000000000000000000000000000000000000000000000000000', 'run1', 'enrich', '0', 'c1', 'done', 1790000000, 10790000000, 1790000000, '\x7b7d');
INSERT INTO public.host_history VALUES (1, 'c1', 1790000000, 'linked', 'linked by oauth2');
INSERT INTO public.host_journal VALUES ('run1', 'enrich', '0', 1, 'pay', 'bill', 'received', 1, 2, 2, 0, 1790000000, 1790000001, 200, '{}', '\x7b227265636f726473223a5b315d7d', '');
INSERT INTO public.host_journal VALUES ('run1', 'enrich', '1', 1, 'pay', 'bill', 'in_doubt', 1, 2, NULL, 0, 1790000000, NULL, NULL, NULL, NULL, 'lost');
INSERT INTO public.host_keys VALUES ('1543808b', '509e0722d7bb72f4f057ad5e4ab786eeb7045555d445942b97330ab678cb72cb', 1790000000, 'current', NULL);
INSERT INTO public.host_leases VALUES ('run:run1', '', 4, 0);
INSERT INTO public.host_quotas VALUES ('team:t1', 'find', '{"turn":3,"answered":true,"windows":{"day":[600,599,1790086400.0,true,2,1790000000.0]},"permits":{"p2":[3,1790000090.0]},"queue":[]}');
INSERT INTO public.host_records VALUES ('run1', 'enrich', 10000000000, '{"id":"p1"}');
INSERT INTO public.host_runs VALUES ('run1', 'workflow', 'Old run', 'waiting_for_budget', '{"step":"enrich"}', 'name: Old run', '{"inputs":{"place":"Zoë"},"connections":{"a":"c1"}}', 20, '', 1790000000, 1790000000, NULL, 'Old run', 's1', true);
INSERT INTO public.host_schema VALUES ('0005');
INSERT INTO public.host_seen VALUES ('s1', 'r1', 'v1', 'm', 2, 8, 1790000000);
INSERT INTO public.host_steps VALUES ('run1', 'enrich', 0, 'unfinished', '{"requests":2}');
INSERT INTO public.host_subscriptions VALUES ('s1', 'follow', 'name: follow', '{"a":"c1"}', '{}', 5, true, NULL, '{"at":7}', 9, 8, 1790000000, 1790000000, 1790000000, 0, '{}', 1790000000, '{"requests":1,"seen":2,"warnings":[]}');
INSERT INTO public.host_workers VALUES ('here/1/0', 'here', 1, 8, 1790000000, 1790000000);
SELECT pg_catalog.setval('public.host_history_id_seq', 1, false);
ALTER TABLE ONLY public.host_api_tokens
    ADD CONSTRAINT host_api_tokens_name_key UNIQUE (name);
ALTER TABLE ONLY public.host_api_tokens
    ADD CONSTRAINT host_api_tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_api_tokens
    ADD CONSTRAINT host_api_tokens_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.host_apps
    ADD CONSTRAINT host_apps_name_key UNIQUE (name);
ALTER TABLE ONLY public.host_apps
    ADD CONSTRAINT host_apps_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_attempts
    ADD CONSTRAINT host_attempts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_connect_sessions
    ADD CONSTRAINT host_connect_sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_connect_sessions
    ADD CONSTRAINT host_connect_sessions_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.host_connections
    ADD CONSTRAINT host_connections_name_key UNIQUE (name);
ALTER TABLE ONLY public.host_connections
    ADD CONSTRAINT host_connections_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_deliveries
    ADD CONSTRAINT host_deliveries_pkey PRIMARY KEY (token_hash);
ALTER TABLE ONLY public.host_history
    ADD CONSTRAINT host_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_journal
    ADD CONSTRAINT host_journal_pkey PRIMARY KEY (run, step, item, attempt);
ALTER TABLE ONLY public.host_keys
    ADD CONSTRAINT host_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_leases
    ADD CONSTRAINT host_leases_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.host_quotas
    ADD CONSTRAINT host_quotas_pkey PRIMARY KEY (scope, operation);
ALTER TABLE ONLY public.host_records
    ADD CONSTRAINT host_records_pkey PRIMARY KEY (run, step, seq);
ALTER TABLE ONLY public.host_runs
    ADD CONSTRAINT host_runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_schema
    ADD CONSTRAINT host_schema_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.host_seen
    ADD CONSTRAINT host_seen_pkey PRIMARY KEY (subscription, record);
ALTER TABLE ONLY public.host_steps
    ADD CONSTRAINT host_steps_pkey PRIMARY KEY (run, step);
ALTER TABLE ONLY public.host_subscriptions
    ADD CONSTRAINT host_subscriptions_name_key UNIQUE (name);
ALTER TABLE ONLY public.host_subscriptions
    ADD CONSTRAINT host_subscriptions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.host_workers
    ADD CONSTRAINT host_workers_pkey PRIMARY KEY (id);
CREATE INDEX host_deliveries_of ON public.host_deliveries USING btree (run, step, item);
CREATE INDEX host_journal_costs ON public.host_journal USING btree (sent_at, run, action, spent, worst) WHERE ((worst IS NULL) OR (worst <> (0)::double precision));
CREATE INDEX host_runs_by_age ON public.host_runs USING btree (created_at, id);
CREATE INDEX host_runs_by_kind ON public.host_runs USING btree (kind, created_at, id);
CREATE INDEX host_runs_by_status ON public.host_runs USING btree (status, created_at, id);
CREATE INDEX host_runs_by_workflow ON public.host_runs USING btree (workflow, created_at, id);
CREATE INDEX host_runs_of ON public.host_runs USING btree (subscription, status);
CREATE INDEX ix_host_attempts_state_hash ON public.host_attempts USING btree (state_hash);
CREATE INDEX ix_host_history_connection_id ON public.host_history USING btree (connection_id);
ALTER TABLE ONLY public.host_connections
    ADD CONSTRAINT host_connections_app_id_fkey FOREIGN KEY (app_id) REFERENCES public.host_apps(id);
