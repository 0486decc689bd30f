BEGIN TRANSACTION;
CREATE TABLE host_api_tokens (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT, 
	used_at FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (name), 
	UNIQUE (token_hash)
);
INSERT INTO "host_api_tokens" VALUES('t1','engine','4444444444444444444444444444444444444444444444444444444444444444',1790000000.0,NULL,NULL);
CREATE TABLE host_apps (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(200), 
	connector VARCHAR(100) NOT NULL, 
	client_id VARCHAR(500) NOT NULL, 
	secret BLOB NOT NULL, 
	redirect_uris_json TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, servers_json TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "host_apps" VALUES('app1','team','demo','client-1',X'7768323135343338303862C63F2A079EEAF7E618A55D8D2725136F6548C9B62107382520BEA8EC014EAA7F3A30EF476E0EB97D89CEB8D75B1BE265','["http://127.0.0.1:8765/callback"]',1,1790000000.0,'{"api":"https://api.test","oauth":"https://login.test"}');
CREATE TABLE host_attempts (
	id VARCHAR(32) NOT NULL, 
	browser_hash VARCHAR(64) NOT NULL, 
	state_hash VARCHAR(64) NOT NULL, 
	session VARCHAR(32) NOT NULL, 
	owner VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	connector VARCHAR(100) NOT NULL, 
	type VARCHAR(100) NOT NULL, 
	connection_id VARCHAR(32), 
	again BOOLEAN NOT NULL, 
	app_id VARCHAR(32), 
	redirect_uri TEXT NOT NULL, 
	scopes_json TEXT NOT NULL, 
	actions_json TEXT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	result_json TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	ends_at FLOAT NOT NULL, servers_json TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "host_attempts" VALUES('a1','2222222222222222222222222222222222222222222222222222222222222222','3333333333333333333333333333333333333333333333333333333333333333','s1','Acme','theirs','demo','oauth2',NULL,0,'app1','http://127.0.0.1:8765/callback','[]','[]','waiting','{}',1790000000.0,1790000600.0,'{"api":"https://api.test","oauth":"https://login.test"}');
CREATE TABLE host_connect_sessions (
	id VARCHAR(32) NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	owner VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	connector VARCHAR(100) NOT NULL, 
	types_json TEXT NOT NULL, 
	app_id VARCHAR(32), 
	actions_json TEXT NOT NULL, 
	return_url TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	opened_at FLOAT, 
	ended_at FLOAT, 
	connection_id VARCHAR(32), 
	PRIMARY KEY (id), 
	UNIQUE (token_hash)
);
INSERT INTO "host_connect_sessions" VALUES('s1','1111111111111111111111111111111111111111111111111111111111111111','Acme','','demo','["oauth2"]','app1','[]','',1790000000.0,10790000000.0,NULL,NULL,NULL);
CREATE TABLE host_connections (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	connector VARCHAR(100) NOT NULL, 
	type VARCHAR(100) NOT NULL, 
	app_id VARCHAR(32), 
	status VARCHAR(40) NOT NULL, 
	reason TEXT NOT NULL, 
	since FLOAT NOT NULL, 
	version INTEGER NOT NULL, 
	secret BLOB NOT NULL, 
	scopes_json TEXT, 
	issued_at FLOAT, 
	expires_at FLOAT, 
	refresh_sent_at FLOAT, 
	account_json TEXT NOT NULL, 
	missed_json TEXT NOT NULL, 
	tested_at FLOAT, 
	created_at FLOAT NOT NULL, owner VARCHAR(200) DEFAULT '' NOT NULL, servers_json TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(app_id) REFERENCES host_apps (id), 
	UNIQUE (name)
);
INSERT INTO "host_connections" VALUES('c1','theirs','demo','oauth2','app1','active','',1790000000.0,3,X'776832313534333830386226E3E1EC51BD2700C6A41EFA90F672ED93789BE1EA664740C346358EE4E5969D1993C4A3E6D2B66CBC19E616C40ECAAC2B36D4164E04095A3724F4F65B825E19CE789ECD5ED3541ACF601C2C4188B886B84A679738C5177F95FECD324C','["find_scope"]',1790000000.0,1792592000.0,NULL,'{"id":"u1","team_id":"t1","name":"Zoë","email":""}','{}',NULL,1790000000.0,'Acme','{"api":"https://api.test","oauth":"https://login.test"}');
CREATE TABLE host_deliveries (
	token_hash VARCHAR(64) NOT NULL, 
	run VARCHAR(64) NOT NULL, 
	step VARCHAR(100) NOT NULL, 
	item VARCHAR(40) NOT NULL, 
	connection VARCHAR(32) NOT NULL, 
	source VARCHAR(100) NOT NULL, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	received_at FLOAT, 
	body BLOB, 
	PRIMARY KEY (token_hash)
);
INSERT INTO "host_deliveries" VALUES('0000000000000000000000000000000000000000000000000000000000000000','run1','enrich','0','c1','done',1790000000.0,10790000000.0,1790000000.0,X'7B7D');
CREATE TABLE host_history (
	id INTEGER NOT NULL, 
	connection_id VARCHAR(32) NOT NULL, 
	at FLOAT NOT NULL, 
	event VARCHAR(40) NOT NULL, 
	text TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "host_history" VALUES(1,'c1',1790000000.0,'linked','linked by oauth2');
CREATE TABLE host_journal (
	run VARCHAR(64) NOT NULL, 
	step VARCHAR(100) NOT NULL, 
	item VARCHAR(40) NOT NULL, 
	attempt INTEGER NOT NULL, 
	action VARCHAR(100) NOT NULL, 
	effect VARCHAR(10) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	owner_version INTEGER NOT NULL, 
	worst FLOAT, 
	spent FLOAT, 
	paid_twice FLOAT NOT NULL, 
	sent_at FLOAT NOT NULL, 
	received_at FLOAT, 
	status_code INTEGER, 
	headers_json TEXT, 
	body BLOB, 
	note TEXT NOT NULL, 
	PRIMARY KEY (run, step, item, attempt)
);
INSERT INTO "host_journal" VALUES('run1','enrich','0',1,'pay','bill','received',1,2.0,2.0,0.0,1790000000.0,1790000001.0,200,'{}',X'7B227265636F726473223A5B315D7D','');
INSERT INTO "host_journal" VALUES('run1','enrich','1',1,'pay','bill','in_doubt',1,2.0,NULL,0.0,1790000000.0,NULL,NULL,NULL,NULL,'lost');
CREATE TABLE host_keys (
	id VARCHAR(16) NOT NULL, 
	check_value VARCHAR(64) NOT NULL, 
	created_at FLOAT NOT NULL, state VARCHAR(10) DEFAULT 'current' NOT NULL, retired_at FLOAT, 
	PRIMARY KEY (id)
);
INSERT INTO "host_keys" VALUES('1543808b','509e0722d7bb72f4f057ad5e4ab786eeb7045555d445942b97330ab678cb72cb',1790000000.0,'current',NULL);
CREATE TABLE host_leases (
	name VARCHAR(200) NOT NULL, 
	owner VARCHAR(100) NOT NULL, 
	version INTEGER NOT NULL, 
	until FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "host_leases" VALUES('run:run1','',4,0.0);
CREATE TABLE host_quotas (
	scope VARCHAR(100) NOT NULL, 
	operation VARCHAR(100) NOT NULL, 
	state_json TEXT NOT NULL, 
	PRIMARY KEY (scope, operation)
);
INSERT INTO "host_quotas" VALUES('team:t1','find','{"turn":3,"answered":true,"windows":{"day":[600,599,1790086400.0,true,2,1790000000.0]},"permits":{"p2":[3,1790000090.0]},"queue":[]}');
CREATE TABLE host_records (
	run VARCHAR(64) NOT NULL, 
	step VARCHAR(100) NOT NULL, 
	seq BIGINT NOT NULL, 
	json TEXT NOT NULL, 
	PRIMARY KEY (run, step, seq)
);
INSERT INTO "host_records" VALUES('run1','enrich',10000000000,'{"id":"p1"}');
CREATE TABLE host_runs (
	id VARCHAR(64) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	status VARCHAR(40) NOT NULL, 
	detail_json TEXT NOT NULL, 
	text TEXT NOT NULL, 
	inputs_json TEXT NOT NULL, 
	budget FLOAT, 
	engine_id VARCHAR(80) NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	ended_at FLOAT, workflow VARCHAR(200) DEFAULT '' NOT NULL, subscription VARCHAR(32) DEFAULT '' NOT NULL, unattended BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "host_runs" VALUES('run1','workflow','Old run','waiting_for_budget','{"step":"enrich"}','name: Old run','{"inputs":{"place":"Zoë"},"connections":{"a":"c1"}}',20.0,'',1790000000.0,1790000000.0,NULL,'Old run','s1',1);
CREATE TABLE host_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT host_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "host_schema" VALUES('0005');
CREATE TABLE host_seen (
	subscription VARCHAR(32) NOT NULL, 
	record VARCHAR(200) NOT NULL, 
	version VARCHAR(200) NOT NULL, 
	mark VARCHAR(64) NOT NULL, 
	count INTEGER NOT NULL, 
	sweep INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (subscription, record)
);
INSERT INTO "host_seen" VALUES('s1','r1','v1','m',2,8,1790000000.0);
CREATE TABLE host_steps (
	run VARCHAR(64) NOT NULL, 
	step VARCHAR(100) NOT NULL, 
	position INTEGER NOT NULL, 
	status VARCHAR(40) NOT NULL, 
	summary_json TEXT NOT NULL, 
	PRIMARY KEY (run, step)
);
INSERT INTO "host_steps" VALUES('run1','enrich',0,'unfinished','{"requests":2}');
CREATE TABLE host_subscriptions (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	text TEXT NOT NULL, 
	connections_json TEXT NOT NULL, 
	inputs_json TEXT NOT NULL, 
	budget FLOAT, 
	enabled BOOLEAN NOT NULL, 
	since FLOAT, 
	cursor TEXT, 
	sweep INTEGER NOT NULL, 
	swept INTEGER NOT NULL, 
	full_at FLOAT NOT NULL, 
	next_at FLOAT NOT NULL, 
	polled_at FLOAT, 
	failures INTEGER NOT NULL, 
	error_json TEXT NOT NULL, 
	created_at FLOAT NOT NULL, looked_json TEXT DEFAULT '{}' NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "host_subscriptions" VALUES('s1','follow','name: follow','{"a":"c1"}','{}',5.0,1,NULL,'{"at":7}',9,8,1790000000.0,1790000000.0,1790000000.0,0,'{}',1790000000.0,'{"requests":1,"seen":2,"warnings":[]}');
CREATE TABLE host_workers (
	id VARCHAR(100) NOT NULL, 
	machine VARCHAR(200) NOT NULL, 
	pid INTEGER NOT NULL, 
	slots INTEGER NOT NULL, 
	began_at FLOAT NOT NULL, 
	beat_at FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "host_workers" VALUES('here/1/0','here',1,8,1790000000.0,1790000000.0);
CREATE INDEX ix_host_history_connection_id ON host_history (connection_id);
CREATE INDEX host_runs_of ON host_runs (subscription, status);
CREATE INDEX host_deliveries_of ON host_deliveries (run, step, item);
CREATE INDEX host_runs_by_age ON host_runs (created_at, id);
CREATE INDEX host_runs_by_status ON host_runs (status, created_at, id);
CREATE INDEX host_runs_by_workflow ON host_runs (workflow, created_at, id);
CREATE INDEX host_runs_by_kind ON host_runs (kind, created_at, id);
CREATE INDEX host_journal_costs ON host_journal (sent_at, run, action, spent, worst) WHERE (worst IS NULL OR worst <> 0);
CREATE INDEX ix_host_attempts_state_hash ON host_attempts (state_hash);
COMMIT;
