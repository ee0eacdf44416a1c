-- The company's own tables. Times are text in UTC, money is in the currency's smallest unit.
CREATE TABLE firm (
  firm_no INTEGER PRIMARY KEY, name TEXT NOT NULL, tariff TEXT, owner_no INTEGER NOT NULL, state TEXT NOT NULL,
  changed_on TEXT NOT NULL
);
CREATE TABLE person (
  person_no INTEGER PRIMARY KEY, full_name TEXT NOT NULL, mail TEXT, handy TEXT, push_id TEXT,
  sprache TEXT NOT NULL, zone TEXT, land TEXT NOT NULL, plz TEXT, sparten TEXT NOT NULL, firm_no INTEGER,
  is_vip INTEGER NOT NULL, schutz TEXT NOT NULL, stand TEXT NOT NULL, changed_on TEXT NOT NULL
);
CREATE TABLE consent_log (
  entry_no INTEGER PRIMARY KEY, person_no INTEGER NOT NULL, weg TEXT NOT NULL, zweck TEXT NOT NULL,
  antwort TEXT NOT NULL, quelle TEXT NOT NULL, said_on TEXT NOT NULL, beleg TEXT, changed_on TEXT NOT NULL
);
CREATE TABLE web_order (
  order_no TEXT PRIMARY KEY, person_no INTEGER NOT NULL, placed_on TEXT NOT NULL, promised_day TEXT,
  promised_until TEXT, state TEXT NOT NULL, pay_state TEXT NOT NULL, refund_state TEXT NOT NULL,
  handed_over_on TEXT, done_on TEXT, total_cents INTEGER NOT NULL, currency TEXT NOT NULL, plz TEXT,
  changed_on TEXT NOT NULL
);
CREATE TABLE order_item (
  item_no INTEGER PRIMARY KEY, order_no TEXT NOT NULL, sku TEXT NOT NULL, title TEXT NOT NULL,
  qty INTEGER NOT NULL, price_cents INTEGER NOT NULL, changed_on TEXT NOT NULL
);
CREATE TABLE parcel (
  parcel_no TEXT PRIMARY KEY, order_no TEXT NOT NULL, person_no INTEGER NOT NULL, carrier TEXT NOT NULL,
  state TEXT NOT NULL, needs_action INTEGER NOT NULL, eta_first TEXT, eta_now TEXT, eta_day TEXT,
  changed_on TEXT NOT NULL
);
CREATE TABLE parcel_scan (
  scan_no INTEGER PRIMARY KEY, parcel_no TEXT NOT NULL, scanned_on TEXT NOT NULL, code TEXT NOT NULL,
  place TEXT, words TEXT NOT NULL, changed_on TEXT NOT NULL
);
CREATE TABLE contract (
  contract_no INTEGER PRIMARY KEY, person_no INTEGER NOT NULL, firm_no INTEGER, sparte TEXT NOT NULL,
  tariff TEXT NOT NULL, state TEXT NOT NULL, renews_on TEXT, price_cents INTEGER NOT NULL,
  currency TEXT NOT NULL, einzug INTEGER NOT NULL, dienste TEXT NOT NULL, standort TEXT,
  changed_on TEXT NOT NULL
);
CREATE TABLE bill (
  bill_no TEXT PRIMARY KEY, person_no INTEGER NOT NULL, contract_no INTEGER NOT NULL, state TEXT NOT NULL,
  due_day TEXT NOT NULL, due_until TEXT NOT NULL, amount_cents INTEGER NOT NULL, usual_cents INTEGER NOT NULL,
  currency TEXT NOT NULL, einzug INTEGER NOT NULL, strittig INTEGER NOT NULL, pay_link TEXT,
  changed_on TEXT NOT NULL
);
CREATE TABLE outage (
  outage_no INTEGER PRIMARY KEY, art TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL,
  grad TEXT NOT NULL, bestaetigt INTEGER NOT NULL, dienste TEXT NOT NULL, standorte TEXT NOT NULL,
  personen TEXT NOT NULL, began_on TEXT NOT NULL, eta_on TEXT, solved_on TEXT, next_word_on TEXT, link TEXT,
  changed_on TEXT NOT NULL
);
CREATE TABLE usage_meter (
  meter_no TEXT PRIMARY KEY, person_no INTEGER NOT NULL, contract_no INTEGER NOT NULL, metric TEXT NOT NULL,
  unit TEXT NOT NULL, period_from TEXT NOT NULL, period_until TEXT NOT NULL, resets_day TEXT NOT NULL,
  used INTEGER NOT NULL, included INTEGER NOT NULL, flat INTEGER NOT NULL, read_on TEXT NOT NULL,
  changed_on TEXT NOT NULL
);
CREATE TABLE inbound_contact (
  contact_no INTEGER PRIMARY KEY, person_no INTEGER NOT NULL, weg TEXT NOT NULL, came_on TEXT NOT NULL,
  grund TEXT NOT NULL, betreff TEXT NOT NULL, state TEXT NOT NULL, about_kind TEXT, about_key TEXT,
  sterne INTEGER, changed_on TEXT NOT NULL
);
CREATE TABLE remark (
  remark_no INTEGER PRIMARY KEY, person_no INTEGER NOT NULL, about_kind TEXT NOT NULL, about_key TEXT NOT NULL,
  words TEXT NOT NULL, written_on TEXT NOT NULL, changed_on TEXT NOT NULL
);

CREATE INDEX parcel_scan_parcel ON parcel_scan (parcel_no, scanned_on);
CREATE INDEX firm_changed ON firm (changed_on, firm_no);
CREATE INDEX person_changed ON person (changed_on, person_no);
CREATE INDEX consent_log_changed ON consent_log (changed_on, entry_no);
CREATE INDEX web_order_changed ON web_order (changed_on, order_no);
CREATE INDEX parcel_changed ON parcel (changed_on, parcel_no);
CREATE INDEX contract_changed ON contract (changed_on, contract_no);
CREATE INDEX bill_changed ON bill (changed_on, bill_no);
CREATE INDEX outage_changed ON outage (changed_on, outage_no);
CREATE INDEX usage_meter_changed ON usage_meter (changed_on, meter_no);
CREATE INDEX inbound_contact_changed ON inbound_contact (changed_on, contact_no);
CREATE INDEX remark_changed ON remark (changed_on, remark_no);

CREATE INDEX order_item_order ON order_item (order_no);

-- Every scan touches its parcel, so that whoever follows parcels hears of it.
CREATE TRIGGER parcel_scan_touches AFTER INSERT ON parcel_scan BEGIN
  UPDATE parcel SET changed_on = max(changed_on, new.changed_on) WHERE parcel_no = new.parcel_no;
END;

-- A parcel with its latest scan and all its scans in the terms of the trade.
CREATE VIEW v_parcel AS
SELECT p.*,
  (SELECT max(s.scanned_on) FROM parcel_scan s WHERE s.parcel_no = p.parcel_no) AS last_scan_on,
  (SELECT json_group_array(json_object(
      'at', replace(s.scanned_on, ' ', 'T') || 'Z', 'place', s.place, 'text', s.words,
      'status', CASE s.code
        WHEN 'angemeldet' THEN 'pre_transit' WHEN 'unterwegs' THEN 'in_transit' WHEN 'HUB' THEN 'in_transit'
        WHEN 'verspaetet' THEN 'in_transit' WHEN 'in_zustellung' THEN 'out_for_delivery'
        WHEN 'gescheitert' THEN 'attempt_failed' WHEN 'abholbereit' THEN 'available_for_pickup'
        WHEN 'zugestellt' THEN 'delivered' WHEN 'ruecksendung' THEN 'returned' WHEN 'klaerung' THEN 'exception'
        ELSE 'unknown' END))
    FROM (SELECT * FROM parcel_scan o WHERE o.parcel_no = p.parcel_no ORDER BY o.scanned_on, o.scan_no) s
  ) AS scans
FROM parcel p;
