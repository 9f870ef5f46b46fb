-- Roles of the registry, and what each may do. Written by services/registry/sql/rights.py; do not edit.
-- Apply as the owner of the tables after `hwlink store migrate`, again after each release:
--   psql --single-transaction -v ON_ERROR_STOP=1 -f deploy/postgresql/roles.sql DATABASE
-- Then make a login for each process, and grant it the role: CREATE ROLE kmpt_matcher LOGIN PASSWORD '...';
-- GRANT hwlink_matcher TO kmpt_matcher. `hwlink serve review` needs hwlink_review and hwlink_admin.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

DO $$ BEGIN CREATE ROLE hwlink_ingest NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM hwlink_ingest;
GRANT USAGE ON SCHEMA public TO hwlink_ingest;
GRANT SELECT ON alembic_version TO hwlink_ingest;
GRANT SELECT, INSERT, UPDATE ON source_fields TO hwlink_ingest;
GRANT SELECT, INSERT ON stream_batches TO hwlink_ingest;
GRANT SELECT, INSERT, UPDATE ON stream_refusals TO hwlink_ingest;
GRANT SELECT, INSERT, UPDATE ON streams TO hwlink_ingest;
GRANT USAGE ON SEQUENCE streams_serial_seq TO hwlink_ingest;

DO $$ BEGIN CREATE ROLE hwlink_matcher NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM hwlink_matcher;
GRANT USAGE ON SCHEMA public TO hwlink_matcher;
GRANT SELECT ON alembic_version TO hwlink_matcher;
GRANT SELECT ON adoptions TO hwlink_matcher;
GRANT SELECT, INSERT, UPDATE ON drifts TO hwlink_matcher;
GRANT SELECT, INSERT, UPDATE, DELETE ON leases TO hwlink_matcher;
GRANT SELECT, INSERT ON models TO hwlink_matcher;
GRANT SELECT (position) ON resolver_state TO hwlink_matcher;
GRANT SELECT, INSERT, UPDATE, DELETE ON shards TO hwlink_matcher;

DO $$ BEGIN CREATE ROLE hwlink_resolver NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM hwlink_resolver;
GRANT USAGE ON SCHEMA public TO hwlink_resolver;
GRANT SELECT ON alembic_version TO hwlink_resolver;
GRANT SELECT, UPDATE ON adoptions TO hwlink_resolver;
GRANT INSERT, SELECT (serial, hash) ON audit TO hwlink_resolver;
GRANT SELECT, INSERT, DELETE ON candidate_moves TO hwlink_resolver;
GRANT SELECT, INSERT, DELETE ON candidate_pairs TO hwlink_resolver;
GRANT SELECT, INSERT, UPDATE, DELETE ON candidate_roster TO hwlink_resolver;
GRANT SELECT, DELETE ON drifts TO hwlink_resolver;
GRANT SELECT, INSERT, UPDATE, DELETE ON leases TO hwlink_resolver;
GRANT SELECT, UPDATE ON models TO hwlink_resolver;
GRANT SELECT, INSERT, DELETE ON outbox TO hwlink_resolver;
GRANT SELECT ON overrides TO hwlink_resolver;
GRANT SELECT, INSERT, DELETE ON pairs TO hwlink_resolver;
GRANT SELECT, INSERT, UPDATE ON persons TO hwlink_resolver;
GRANT SELECT, INSERT, UPDATE ON resolver_state TO hwlink_resolver;
GRANT SELECT, INSERT, UPDATE ON roster TO hwlink_resolver;
GRANT SELECT, INSERT, UPDATE, DELETE ON shards TO hwlink_resolver;

DO $$ BEGIN CREATE ROLE hwlink_features NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM hwlink_features;
GRANT USAGE ON SCHEMA public TO hwlink_features;
GRANT SELECT ON alembic_version TO hwlink_features;
GRANT SELECT, INSERT, UPDATE ON features_state TO hwlink_features;
GRANT SELECT (model_id, active) ON models TO hwlink_features;
GRANT SELECT (serial, person_id) ON persons TO hwlink_features;
GRANT SELECT (sequence) ON resolver_state TO hwlink_features;
GRANT SELECT (serial, source, subject_ref, person, link_probability) ON roster TO hwlink_features;
GRANT SELECT, INSERT ON snapshots TO hwlink_features;
GRANT USAGE ON SEQUENCE snapshots_serial_seq TO hwlink_features;

DO $$ BEGIN CREATE ROLE hwlink_query NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM hwlink_query;
GRANT USAGE ON SCHEMA public TO hwlink_query;
GRANT SELECT ON alembic_version TO hwlink_query;
GRANT INSERT, SELECT (serial, hash) ON audit TO hwlink_query;
GRANT SELECT, INSERT ON releases TO hwlink_query;
GRANT USAGE ON SEQUENCE releases_serial_seq TO hwlink_query;
GRANT SELECT ON snapshots TO hwlink_query;

DO $$ BEGIN CREATE ROLE hwlink_review NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM hwlink_review;
GRANT USAGE ON SCHEMA public TO hwlink_review;
GRANT SELECT ON alembic_version TO hwlink_review;
GRANT SELECT ON adoptions TO hwlink_review;
GRANT INSERT, SELECT (serial, hash) ON audit TO hwlink_review;
GRANT SELECT ON models TO hwlink_review;
GRANT SELECT, INSERT ON overrides TO hwlink_review;
GRANT SELECT ON pairs TO hwlink_review;
GRANT SELECT ON persons TO hwlink_review;
GRANT SELECT ON roster TO hwlink_review;
GRANT SELECT ON snapshots TO hwlink_review;
GRANT SELECT ON streams TO hwlink_review;

DO $$ BEGIN CREATE ROLE hwlink_admin NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM hwlink_admin;
GRANT USAGE ON SCHEMA public TO hwlink_admin;
GRANT SELECT ON alembic_version TO hwlink_admin;
GRANT SELECT, INSERT, UPDATE ON adoptions TO hwlink_admin;
GRANT SELECT, INSERT ON audit TO hwlink_admin;
GRANT SELECT, DELETE ON candidate_moves TO hwlink_admin;
GRANT DELETE ON candidate_pairs TO hwlink_admin;
GRANT DELETE ON candidate_roster TO hwlink_admin;
GRANT SELECT, DELETE ON drifts TO hwlink_admin;
GRANT SELECT ON features_state TO hwlink_admin;
GRANT SELECT ON leases TO hwlink_admin;
GRANT SELECT, INSERT ON models TO hwlink_admin;
GRANT SELECT ON outbox TO hwlink_admin;
GRANT SELECT (serial, person_id) ON persons TO hwlink_admin;
GRANT SELECT ON releases TO hwlink_admin;
GRANT SELECT ON resolver_state TO hwlink_admin;
GRANT SELECT (serial, source, subject_ref, person) ON roster TO hwlink_admin;
GRANT SELECT, UPDATE ON shards TO hwlink_admin;
GRANT SELECT ON snapshots TO hwlink_admin;
GRANT SELECT ON source_fields TO hwlink_admin;
GRANT SELECT ON stream_batches TO hwlink_admin;
GRANT SELECT ON stream_refusals TO hwlink_admin;
GRANT SELECT ON streams TO hwlink_admin;
