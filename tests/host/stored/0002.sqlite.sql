BEGIN TRANSACTION;
CREATE TABLE host_apps (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(200), 
	connector VARCHAR(100) NOT NULL, 
	client_id VARCHAR(500) NOT NULL, 
	secret BLOB NOT NULL, 
	redirect_uris_json TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "host_apps" VALUES('app1','team','demo','client-1',X'776831313534333830386234FDA1E366943CE43291D4F1929BD08B71581462EC8E6B3D0BC0AAB0D00D08F68C511A4E8BB4F8B750F44BB069570975','["http://127.0.0.1:8765/callback"]',1,1790000000.0);
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
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(app_id) REFERENCES host_apps (id), 
	UNIQUE (name)
);
INSERT INTO "host_connections" VALUES('c1','theirs','demo','oauth2','app1','active','',1790000000.0,3,X'776831313534333830386231E7043083DAEA893566EFA8F03CF5DF78D5A2967CBD6435A38908713B5199DAB9809E37FFD72B240E7564F68FB474D9B7DACBF9861F2CBA4DCF789C6ADAFE469CF5BC359393712D52718072432FC344DBF85A1B3E8C68598CDD35059B','["find_scope"]',1790000000.0,1792592000.0,NULL,'{"id":"u1","team_id":"t1","name":"Zoë","email":""}','{}',NULL,1790000000.0);
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
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "host_keys" VALUES('1543808b','509e0722d7bb72f4f057ad5e4ab786eeb7045555d445942b97330ab678cb72cb',1790000000.0);
CREATE TABLE host_leases (
	name VARCHAR(200) NOT NULL, 
	owner VARCHAR(100) NOT NULL, 
	version INTEGER NOT NULL, 
	until FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "host_leases" VALUES('run:run1','',4,0.0);
CREATE TABLE host_permits (
	id VARCHAR(32) NOT NULL, 
	scope VARCHAR(100) NOT NULL, 
	operation VARCHAR(100) NOT NULL, 
	until FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "host_permits" VALUES('p1','team:t1','find',1790000120.0);
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
	ended_at FLOAT, workflow VARCHAR(200) DEFAULT '' NOT NULL, subscription VARCHAR(32) DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "host_runs" VALUES('run1','workflow','Old run','waiting_for_budget','{"step":"enrich"}','name: Old run','{"inputs":{"place":"Zoë"},"connections":{"a":"c1"}}',20.0,'',1790000000.0,1790000000.0,NULL,'Old run','s1');
CREATE TABLE host_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT host_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "host_schema" VALUES('0002');
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
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "host_subscriptions" VALUES('s1','follow','name: follow','{"a":"c1"}','{}',5.0,1,NULL,'{"at":7}',9,8,1790000000.0,1790000000.0,1790000000.0,0,'{}',1790000000.0);
CREATE TABLE host_windows (
	scope VARCHAR(100) NOT NULL, 
	operation VARCHAR(100) NOT NULL, 
	name VARCHAR(10) NOT NULL, 
	quota INTEGER, 
	"left" INTEGER NOT NULL, 
	resets_at FLOAT NOT NULL, 
	exact BOOLEAN NOT NULL, 
	seen_at FLOAT NOT NULL, 
	PRIMARY KEY (scope, operation, name)
);
INSERT INTO "host_windows" VALUES('team:t1','find','day',600,599,1790086400.0,1,1790000000.0);
CREATE INDEX ix_host_history_connection_id ON host_history (connection_id);
CREATE INDEX host_permits_of ON host_permits (scope, operation);
CREATE INDEX host_runs_of ON host_runs (subscription, status);
CREATE INDEX ix_host_runs_workflow ON host_runs (workflow);
CREATE INDEX host_deliveries_of ON host_deliveries (run, step, item);
COMMIT;
