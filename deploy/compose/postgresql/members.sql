-- Which login has which role's rights; applied after deploy/postgresql/roles.sql.
GRANT hwlink_ingest TO "hwlink-ingest";
GRANT hwlink_matcher TO "hwlink-matcher";
GRANT hwlink_resolver TO "hwlink-resolver";
GRANT hwlink_features TO "hwlink-features";
GRANT hwlink_query TO "hwlink-query";
GRANT hwlink_review TO "hwlink-review";
GRANT hwlink_admin TO "hwlink-review";
