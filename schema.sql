-- The whole schema of a fresh database; idempotent. D1 is the source of truth: everything in KV can be rebuilt from it.
-- Times are RFC 3339 in UTC with milliseconds. Once released, a table changes only through a numbered migration.

CREATE TABLE IF NOT EXISTS orgs (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  plan       TEXT NOT NULL CHECK (plan IN ('free', 'pro', 'enterprise')),
  -- The newest revision known to have reached KV; below the newest revision while a publish is outstanding.
  published_revision INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS projects (
  org        TEXT NOT NULL REFERENCES orgs (id),
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT;

CREATE TABLE IF NOT EXISTS members (
  org        TEXT NOT NULL REFERENCES orgs (id),
  email      TEXT NOT NULL,
  role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer')),
  created_at TEXT NOT NULL,
  -- The day, UTC, of the last sign-in through Cloudflare Access.
  signed_in_on TEXT,
  PRIMARY KEY (org, email)
) STRICT;
CREATE INDEX IF NOT EXISTS members_of_email ON members (email);

-- Admin tokens of members; only their SHA-256 is kept, and a prefix to recognize them by. A revoked one stays until its
-- member goes, so that an attempt to use it can be told from junk.
CREATE TABLE IF NOT EXISTS tokens (
  id         TEXT PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE,
  prefix     TEXT NOT NULL,
  org        TEXT NOT NULL,
  email      TEXT NOT NULL,
  name       TEXT,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT,
  -- The day, UTC: precise enough to know which are in use, and a write a day rather than one a call.
  last_used_on TEXT,
  FOREIGN KEY (org, email) REFERENCES members (org, email) ON DELETE CASCADE
) STRICT;
CREATE INDEX IF NOT EXISTS tokens_of_member ON tokens (org, email, id);

-- Browser sessions; they end with the token that opened them, however it ends.
CREATE TABLE IF NOT EXISTS sessions (
  hash       TEXT PRIMARY KEY,
  token      TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  expires_at TEXT NOT NULL
) STRICT;

-- API keys of projects; only their SHA-256 is kept, and a prefix to recognize them by.
CREATE TABLE IF NOT EXISTS api_keys (
  id         TEXT PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE,
  prefix     TEXT NOT NULL,
  org        TEXT NOT NULL,
  project    TEXT NOT NULL,
  name       TEXT NOT NULL,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT,
  -- The UTC day (YYYY-MM-DD) it was last accepted on; best effort, see src/store/key-use.ts.
  last_used_on TEXT,
  -- When what the edge must know of it last changed: created, another expiry, revoked.
  changed_at TEXT NOT NULL,
  -- 1 while KV is believed to hold the key's record, as it is here.
  published  INTEGER NOT NULL DEFAULT 0,
  FOREIGN KEY (org, project) REFERENCES projects (org, id)
) STRICT;
CREATE INDEX IF NOT EXISTS api_keys_of_org ON api_keys (org, id);
CREATE INDEX IF NOT EXISTS api_keys_of_project ON api_keys (org, project, id);

-- Each change of what is enforced is a revision: the whole edge record, who made it, when, from where and why. The
-- primary key makes If-Match exact: two admins who save on the same base cannot both succeed. Sealed provider keys are
-- taken out of older revisions when they change.
CREATE TABLE IF NOT EXISTS revisions (
  org        TEXT NOT NULL REFERENCES orgs (id),
  revision   INTEGER NOT NULL CHECK (revision > 0),
  record     TEXT NOT NULL,
  change     TEXT NOT NULL,
  reason     TEXT,
  -- The revision whose policy this one brought back.
  restores   INTEGER,
  -- What it was saved with, and the country of the caller as Cloudflare knew it.
  via        TEXT NOT NULL CHECK (via IN ('page', 'api', 'cli', 'system')),
  country    TEXT,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (org, revision)
) STRICT;

CREATE TABLE IF NOT EXISTS catalogs (
  sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
  version    TEXT NOT NULL UNIQUE,
  document   TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

-- Every administrative act. Append-only. The id is `log_` + ULID of the time in `at`, so a range of time is a range of ids.
CREATE TABLE IF NOT EXISTS audit_log (
  id     TEXT PRIMARY KEY,
  at     TEXT NOT NULL,
  org    TEXT,
  actor  TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS audit_log_of_org ON audit_log (org, id);
CREATE INDEX IF NOT EXISTS audit_log_of_actor ON audit_log (org, actor, id);
CREATE INDEX IF NOT EXISTS audit_log_of_action ON audit_log (org, action, id);
CREATE INDEX IF NOT EXISTS audit_log_of_target ON audit_log (org, target, id);
CREATE TRIGGER IF NOT EXISTS audit_log_is_append_only_update BEFORE UPDATE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
-- INSERT OR REPLACE removes a row without a delete that a trigger would see.
CREATE TRIGGER IF NOT EXISTS audit_log_is_append_only_replace BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER IF NOT EXISTS audit_log_is_append_only_delete BEFORE DELETE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- Blocks. The id is `evt_` + ULID, so it sorts by time; `event` is the whole event as JSON, the columns are for filters.
CREATE TABLE IF NOT EXISTS security_events (
  id         TEXT PRIMARY KEY,
  at         TEXT NOT NULL,
  org        TEXT,
  project    TEXT,
  type       TEXT NOT NULL,
  outcome    TEXT NOT NULL,
  model      TEXT,
  providers  TEXT NOT NULL,
  event      TEXT NOT NULL,
  -- 1 once it has its place in the chain; from then on it never changes.
  sealed     INTEGER NOT NULL DEFAULT 0,
  -- How many blocks it stands for at the least, where it folds repeats; NULL where it is one block.
  at_least   INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS security_events_of_org ON security_events (org, id);
CREATE INDEX IF NOT EXISTS security_events_of_model ON security_events (org, model, id);
-- Counting by day, model and project reads this index alone, never the events.
CREATE INDEX IF NOT EXISTS security_events_by_time ON security_events (org, at, type, outcome, at_least, model, project);
CREATE INDEX IF NOT EXISTS security_events_unsealed ON security_events (org, id) WHERE sealed = 0;
CREATE TRIGGER IF NOT EXISTS security_events_sealed_update BEFORE UPDATE ON security_events WHEN OLD.sealed = 1
BEGIN
  SELECT RAISE(ABORT, 'a sealed event does not change');
END;

-- Messages of the audit queue that could not be stored, whole.
CREATE TABLE IF NOT EXISTS dead_letters (
  id          TEXT PRIMARY KEY,
  body        TEXT NOT NULL,
  received_at TEXT NOT NULL,
  replayed_at TEXT
) STRICT;

-- The hash chain of each organization's events. `chain` is the organization, or '' for events of none. The primary key
-- keeps two writers from forking it.
CREATE TABLE IF NOT EXISTS event_seals (
  chain     TEXT NOT NULL,
  seq       INTEGER NOT NULL CHECK (seq > 0),
  event     TEXT NOT NULL UNIQUE,
  prev_hash TEXT NOT NULL,
  hash      TEXT NOT NULL,
  PRIMARY KEY (chain, seq)
) STRICT;
CREATE TRIGGER IF NOT EXISTS event_seals_are_append_only BEFORE UPDATE ON event_seals
BEGIN
  SELECT RAISE(ABORT, 'the chain is append-only');
END;

-- Signed statements of where a chain ended. Each has also left the database, as a log line.
CREATE TABLE IF NOT EXISTS chain_heads (
  chain     TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  hash      TEXT NOT NULL,
  at        TEXT NOT NULL,
  key_id    TEXT NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (chain, seq)
) STRICT;
CREATE TRIGGER IF NOT EXISTS chain_heads_are_append_only BEFORE UPDATE ON chain_heads
BEGIN
  SELECT RAISE(ABORT, 'signed heads are append-only');
END;

-- How long an organization's events are kept; without a row, the default of src/store/retention.ts.
CREATE TABLE IF NOT EXISTS event_retention (
  org        TEXT PRIMARY KEY REFERENCES orgs (id),
  days       INTEGER NOT NULL CHECK (days >= 180),
  legal_hold INTEGER NOT NULL CHECK (legal_hold IN (0, 1)),
  changed_at TEXT NOT NULL,
  changed_by TEXT NOT NULL
) STRICT;

-- Signed statements of what retention removed from the beginning of a chain: everything up to `seq`, all of it older
-- than `removed_before`. Written in the batch that removes it.
CREATE TABLE IF NOT EXISTS chain_cuts (
  chain          TEXT NOT NULL,
  seq            INTEGER NOT NULL,
  hash           TEXT NOT NULL,
  at             TEXT NOT NULL,
  removed_before TEXT NOT NULL,
  key_id         TEXT NOT NULL,
  signature      TEXT NOT NULL,
  PRIMARY KEY (chain, seq)
) STRICT;
CREATE TRIGGER IF NOT EXISTS chain_cuts_are_append_only BEFORE UPDATE ON chain_cuts
BEGIN
  SELECT RAISE(ABORT, 'signed cuts are append-only');
END;

-- Where an organization's events are sent, one after the other, as they are sealed. The secrets are sealed with
-- CREDENTIALS_KEY. Whoever holds the lease sends; it ends by itself should the holder die.
CREATE TABLE IF NOT EXISTS webhooks (
  id         TEXT PRIMARY KEY,
  org        TEXT NOT NULL REFERENCES orgs (id),
  url        TEXT NOT NULL,
  format     TEXT NOT NULL CHECK (format IN ('json', 'ocsf')),
  -- 0 while somebody has stopped it by hand; `paused_at` is when Portcullis gave up.
  enabled    INTEGER NOT NULL,
  paused_at  TEXT,
  secret     TEXT NOT NULL,
  -- Signs as well, until then: receivers get to know a new secret at their own time.
  previous_secret TEXT,
  previous_until  TEXT,
  -- The place in the chain of the last event, and of the last signed head, that the receiver has accepted.
  delivered_seq INTEGER NOT NULL,
  head_seq      INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TEXT NOT NULL,
  failing_since   TEXT,
  failures        INTEGER NOT NULL DEFAULT 0,
  -- The last attempt: what the receiver answered, or why there was no answer. Never what it said.
  last_attempt_at TEXT,
  last_status     INTEGER,
  last_problem    TEXT,
  lease       TEXT,
  lease_until TEXT,
  created_at  TEXT NOT NULL,
  created_by  TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS webhooks_of_org ON webhooks (org, id);
