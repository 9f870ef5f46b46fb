-- A login for each process, named as its certificate. Run once by the server when it makes its data folder; the roles'
-- rights come after `hwlink store migrate`, from deploy/postgresql/roles.sql.
CREATE ROLE "hwlink-admin" LOGIN CREATEROLE;
ALTER DATABASE hwlink OWNER TO "hwlink-admin";
GRANT ALL ON SCHEMA public TO "hwlink-admin";
CREATE ROLE "hwlink-ingest" LOGIN;
CREATE ROLE "hwlink-matcher" LOGIN;
CREATE ROLE "hwlink-resolver" LOGIN;
CREATE ROLE "hwlink-features" LOGIN;
CREATE ROLE "hwlink-query" LOGIN;
CREATE ROLE "hwlink-review" LOGIN;
