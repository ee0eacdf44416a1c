-- The tables of schema version 1, as that version made them.

CREATE TABLE attempt (
  id VARCHAR NOT NULL,
  delivery_id VARCHAR NOT NULL,
  number INTEGER NOT NULL,
  state VARCHAR NOT NULL,
  idempotency_key VARCHAR NOT NULL,
  body_hash VARCHAR NOT NULL,
  provider VARCHAR NOT NULL,
  owner VARCHAR NOT NULL,
  deadline DATETIME NOT NULL,
  started_at DATETIME NOT NULL,
  ended_at DATETIME,
  provider_ref VARCHAR,
  detail VARCHAR NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (delivery_id, number)
);

CREATE UNIQUE INDEX ix_attempt_open ON attempt (delivery_id) WHERE state = 'started';

CREATE TABLE audit_event (
  id VARCHAR NOT NULL,
  type VARCHAR NOT NULL,
  at DATETIME NOT NULL,
  subject_ref VARCHAR,
  case_id VARCHAR,
  envelope TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX ix_audit_case ON audit_event (case_id);

CREATE INDEX ix_audit_event_subject_ref ON audit_event (subject_ref);

CREATE TABLE audit_pending (
  event_id VARCHAR NOT NULL,
  PRIMARY KEY (event_id)
);

CREATE TABLE audit_seal (
  seq INTEGER NOT NULL,
  event_id VARCHAR NOT NULL,
  leaf VARCHAR NOT NULL,
  chain VARCHAR NOT NULL,
  PRIMARY KEY (seq),
  UNIQUE (event_id)
);

CREATE TABLE budget (
  scope VARCHAR NOT NULL,
  period VARCHAR NOT NULL,
  cap INTEGER NOT NULL,
  held INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  PRIMARY KEY (scope, period)
);

CREATE TABLE budget_hold (
  id VARCHAR NOT NULL,
  scope VARCHAR NOT NULL,
  period VARCHAR NOT NULL,
  amount INTEGER NOT NULL,
  owner VARCHAR NOT NULL,
  at DATETIME NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE case_file (
  id VARCHAR NOT NULL,
  signal_key VARCHAR NOT NULL,
  scenario VARCHAR NOT NULL,
  playbook VARCHAR NOT NULL,
  customer_id VARCHAR NOT NULL,
  object_ref VARCHAR NOT NULL,
  episode VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  opened_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  deadline DATETIME,
  next_at DATETIME,
  situation_id VARCHAR,
  turn INTEGER NOT NULL,
  shadow BOOLEAN NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (signal_key)
);

CREATE INDEX ix_case_customer ON case_file (customer_id);

CREATE INDEX ix_case_due ON case_file (next_at) WHERE next_at IS NOT NULL;

CREATE INDEX ix_case_file_situation_id ON case_file (situation_id);

CREATE INDEX ix_case_object ON case_file (object_ref, scenario);

CREATE INDEX ix_case_state ON case_file (state);

CREATE TABLE decision (
  id VARCHAR NOT NULL,
  case_id VARCHAR NOT NULL,
  turn INTEGER NOT NULL,
  stage VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  scenario VARCHAR NOT NULL,
  at DATETIME NOT NULL,
  channel VARCHAR,
  arm VARCHAR NOT NULL,
  propensity_ppm INTEGER NOT NULL,
  cost_micros INTEGER NOT NULL,
  body TEXT NOT NULL,
  body_hash VARCHAR NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (case_id, turn)
);

CREATE INDEX ix_decision_at ON decision (at);

CREATE TABLE delivery (
  id VARCHAR NOT NULL,
  case_id VARCHAR NOT NULL,
  customer_id VARCHAR NOT NULL,
  scenario VARCHAR NOT NULL,
  purpose VARCHAR NOT NULL,
  channel VARCHAR NOT NULL,
  step INTEGER NOT NULL,
  dedup_key VARCHAR NOT NULL,
  draft_id VARCHAR NOT NULL,
  review_id VARCHAR,
  needs_approval BOOLEAN NOT NULL,
  content_hash VARCHAR NOT NULL,
  message TEXT NOT NULL,
  state VARCHAR NOT NULL,
  state_reason VARCHAR NOT NULL,
  next_at DATETIME,
  expires_at DATETIME NOT NULL,
  attempts INTEGER NOT NULL,
  counts_to_cap BOOLEAN NOT NULL,
  intent_at DATETIME,
  PRIMARY KEY (id),
  CONSTRAINT approved_before_sending CHECK (NOT needs_approval OR review_id IS NOT NULL OR state IN ('queued', 'cancelled', 'suppressed')),
  UNIQUE (dedup_key)
);

CREATE INDEX ix_delivery_case_id ON delivery (case_id);

CREATE INDEX ix_delivery_customer ON delivery (customer_id, intent_at);

CREATE INDEX ix_delivery_state ON delivery (state, next_at);

CREATE TABLE draft (
  id VARCHAR NOT NULL,
  case_id VARCHAR NOT NULL,
  decision_id VARCHAR NOT NULL,
  customer_id VARCHAR NOT NULL,
  scenario VARCHAR NOT NULL,
  channel VARCHAR NOT NULL,
  version INTEGER NOT NULL,
  state VARCHAR NOT NULL,
  content_hash VARCHAR NOT NULL,
  body TEXT NOT NULL,
  body_hash VARCHAR NOT NULL,
  review_reason VARCHAR NOT NULL,
  value_micros INTEGER NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  deadline DATETIME,
  claimed_by VARCHAR,
  claimed_until DATETIME,
  lock_version INTEGER NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (case_id, version)
);

CREATE INDEX ix_draft_queue ON draft (state, deadline, id);

CREATE TABLE kill_switch (
  id VARCHAR NOT NULL,
  scope VARCHAR NOT NULL,
  "key" VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  set_by VARCHAR NOT NULL,
  set_at DATETIME NOT NULL,
  lifted_by VARCHAR,
  lifted_at DATETIME,
  PRIMARY KEY (id)
);

CREATE TABLE llm_call (
  id VARCHAR NOT NULL,
  request_hash VARCHAR NOT NULL,
  task VARCHAR NOT NULL,
  model VARCHAR NOT NULL,
  situation_id VARCHAR,
  request TEXT NOT NULL,
  reply TEXT,
  status VARCHAR NOT NULL,
  error VARCHAR NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  cost_micros INTEGER NOT NULL,
  started_at DATETIME NOT NULL,
  ended_at DATETIME,
  PRIMARY KEY (id)
);

CREATE INDEX ix_llm_call_request ON llm_call (request_hash, status);

CREATE INDEX ix_llm_call_situation_id ON llm_call (situation_id);

CREATE TABLE meta (
  "key" VARCHAR NOT NULL,
  value VARCHAR NOT NULL,
  PRIMARY KEY ("key")
);

CREATE TABLE mirror_change (
  seq INTEGER NOT NULL,
  type VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  PRIMARY KEY (seq)
);

CREATE TABLE mirror_link (
  type VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  relation VARCHAR NOT NULL,
  value VARCHAR NOT NULL,
  PRIMARY KEY (type, id, relation, value)
);

CREATE INDEX ix_mirror_link_value ON mirror_link (relation, value, type);

CREATE TABLE mirror_record (
  type VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  source VARCHAR NOT NULL,
  stream VARCHAR NOT NULL,
  customer_ref VARCHAR,
  version VARCHAR NOT NULL,
  content_hash VARCHAR NOT NULL,
  source_updated_at DATETIME NOT NULL,
  observed_at DATETIME NOT NULL,
  deleted BOOLEAN NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (type, id)
);

CREATE INDEX ix_mirror_record_customer ON mirror_record (customer_ref, type);

CREATE TABLE quarantine (
  id VARCHAR NOT NULL,
  source VARCHAR NOT NULL,
  stream VARCHAR NOT NULL,
  record_type VARCHAR NOT NULL,
  record_id VARCHAR,
  kind VARCHAR NOT NULL,
  field VARCHAR NOT NULL,
  value VARCHAR NOT NULL,
  problem VARCHAR NOT NULL,
  raw TEXT NOT NULL,
  raw_hash VARCHAR NOT NULL,
  first_seen_at DATETIME NOT NULL,
  last_seen_at DATETIME NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (source, stream, raw_hash)
);

CREATE TABLE review (
  id VARCHAR NOT NULL,
  draft_id VARCHAR NOT NULL,
  case_id VARCHAR NOT NULL,
  verdict VARCHAR NOT NULL,
  reviewer VARCHAR NOT NULL,
  content_hash VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  at DATETIME NOT NULL,
  seconds INTEGER,
  PRIMARY KEY (id)
);

CREATE INDEX ix_review_draft ON review (draft_id);

CREATE TABLE situation (
  id VARCHAR NOT NULL,
  scenario VARCHAR NOT NULL,
  playbook VARCHAR NOT NULL,
  channel VARCHAR NOT NULL,
  locale VARCHAR NOT NULL,
  categories TEXT NOT NULL,
  instruction TEXT,
  state VARCHAR NOT NULL,
  opened_at DATETIME NOT NULL,
  closed_at DATETIME,
  PRIMARY KEY (id)
);

CREATE TABLE stream_cursor (
  source VARCHAR NOT NULL,
  stream VARCHAR NOT NULL,
  stream_version VARCHAR,
  value_kind VARCHAR,
  value VARCHAR,
  key_kind VARCHAR,
  "key" VARCHAR,
  watermark DATETIME,
  read_at DATETIME NOT NULL,
  reconciled_at DATETIME,
  missed INTEGER NOT NULL,
  PRIMARY KEY (source, stream)
);

CREATE TABLE subject_key (
  subject_ref VARCHAR NOT NULL,
  customer_id VARCHAR NOT NULL,
  wrapped_key VARCHAR NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (subject_ref),
  UNIQUE (customer_id)
);

CREATE TABLE suppression (
  channel VARCHAR NOT NULL,
  address_hmac VARCHAR NOT NULL,
  purpose VARCHAR NOT NULL,
  at DATETIME NOT NULL,
  source VARCHAR NOT NULL,
  PRIMARY KEY (channel, address_hmac, purpose)
);

CREATE TABLE timer (
  scenario VARCHAR NOT NULL,
  type VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  slot INTEGER NOT NULL,
  next_at DATETIME NOT NULL,
  PRIMARY KEY (scenario, type, id, slot)
);

CREATE INDEX ix_timer_due ON timer (next_at);

CREATE TABLE work (
  "key" VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  ref VARCHAR NOT NULL,
  status VARCHAR NOT NULL,
  turn INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  token INTEGER NOT NULL,
  owner VARCHAR,
  priority INTEGER NOT NULL,
  next_at DATETIME,
  again_at DATETIME,
  error VARCHAR NOT NULL,
  PRIMARY KEY ("key")
);

CREATE INDEX ix_work_due ON work (next_at) WHERE next_at IS NOT NULL;
