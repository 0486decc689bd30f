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
INSERT INTO "host_apps" VALUES('app1','team','demo','client-1',X'7768313135343338303862E127B8A0623DF29DE85FD78599C1425A86A937445AB38047165BC130F369AF28FE9EDAFB7E532380B8EADD3C57C265DE','["http://127.0.0.1:8765/callback"]',1,1790000000.0);
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
INSERT INTO "host_connections" VALUES('c1','theirs','demo','oauth2','app1','active','',1790000000.0,3,X'7768313135343338303862927881EF5D6F1AAAC2DA3CBB14812354C109958A3C938727465735453ECA8F1B57E5273E16843A2C0F8427670AC0AB646122A0006730DAC963DEADCDA60F5064ACBFC00104D6FDBFE6FF6C5492966CFB7564076BDBA782019B692868F5','["find_scope"]',1790000000.0,1792592000.0,NULL,'{"id":"u1","team_id":"t1","name":"Zoë","email":""}','{}',NULL,1790000000.0);
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
	ended_at FLOAT, 
	PRIMARY KEY (id)
);
INSERT INTO "host_runs" VALUES('run1','workflow','Old run','waiting_for_budget','{"step":"enrich"}','name: Old run','{"inputs":{"place":"Zoë"},"connections":{"a":"c1"}}',20.0,'',1790000000.0,1790000000.0,NULL);
CREATE TABLE host_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT host_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "host_schema" VALUES('0001');
CREATE TABLE host_steps (
	run VARCHAR(64) NOT NULL, 
	step VARCHAR(100) NOT NULL, 
	position INTEGER NOT NULL, 
	status VARCHAR(40) NOT NULL, 
	summary_json TEXT NOT NULL, 
	PRIMARY KEY (run, step)
);
INSERT INTO "host_steps" VALUES('run1','enrich',0,'unfinished','{"requests":2}');
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
COMMIT;
