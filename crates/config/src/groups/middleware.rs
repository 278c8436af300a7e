//! Database, Redis, queue, storage and vector stores.

use super::reasons::{
    ASYNC, BROKER_SCHEME, CELERY_ONLY, CLIENT_CACHE, EVENT_BUS, NO_GRPC, PYTHON_POOL, REDIS_CLIENT,
    STORAGE, UTF8, VECTOR_STORE,
};
use crate::kind::{
    ChannelType, DatabaseType, Flag, Float, HologresDistance, HologresQuantisation,
    HologresTokenizer, Int, JsonObject, MaybeAwsService, MaybeInt, MaybeText, Natural,
    OceanBaseMetric, OpenSearchAuth, Positive, S3AddressStyle, StorageType, Text,
};

settings! {
    /// Database, Redis, queue, storage and vector stores.
    anywhere Middleware {
        // Database
        db_charset: Text = "", "Appended as client_encoding", ignored UTF8;
        db_database: Text = "dify", "Database name";
        db_extras: Text = "", "Extra query string of the DSN; options= is merged with -c timezone=UTC";
        db_host: Text = "localhost", "Database host";
        db_password: Text = "", "Database password (URL-quoted)";
        db_port: Positive = 5432, "Database port";
        db_type: DatabaseType = "postgresql", "postgresql | mysql | oceanbase | seekdb";
        db_username: Text = "postgres", "Database user (URL-quoted)";
        sqlalchemy_echo: Text = "False", "Log SQL", ignored PYTHON_POOL;
        sqlalchemy_max_overflow: Natural = 10, "Pool overflow";
        sqlalchemy_pool_pre_ping: Flag = false, "Ping before use";
        sqlalchemy_pool_recycle: Natural = 3600, "Connection max age s";
        sqlalchemy_pool_size: Natural = 30, "Pool size";
        sqlalchemy_pool_timeout: Natural = 30, "Checkout wait s";
        sqlalchemy_pool_use_lifo: Flag = false, "LIFO checkout", ignored PYTHON_POOL;

        // Redis
        redis_clusters: MaybeText = None, "Comma list host:port";
        redis_clusters_password: MaybeText = None, "Cluster password";
        redis_db: Natural = 0, "Redis logical db";
        redis_enable_client_side_cache: Flag = false, "Client-side cache (needs RESP3)", ignored CLIENT_CACHE;
        redis_host: Text = "localhost", "Redis host";
        redis_max_connections: MaybeInt = None, "Pool cap; empty string accepted = unset";
        redis_password: MaybeText = None, "Redis password (empty = none)";
        redis_port: Positive = 6379, "Redis port";
        redis_sentinels: MaybeText = None, "Comma list host:port";
        redis_sentinel_password: MaybeText = None, "Password for sentinels";
        redis_sentinel_service_name: MaybeText = None, "Sentinel master name";
        redis_sentinel_socket_timeout: Float = 0.1, "Sentinel socket timeout s", ignored REDIS_CLIENT;
        redis_sentinel_username: MaybeText = None, "User for sentinels";
        redis_serialization_protocol: Int = 3, "RESP version", ignored REDIS_CLIENT;
        redis_ssl_ca_certs: MaybeText = None, "CA file";
        redis_ssl_certfile: MaybeText = None, "Client certificate file";
        redis_ssl_cert_reqs: Text = "CERT_NONE", "CERT_NONE | CERT_OPTIONAL | CERT_REQUIRED (unknown = CERT_NONE); also used for Celery TLS";
        redis_ssl_keyfile: MaybeText = None, "Client key file";
        redis_username: MaybeText = None, "Redis ACL user";
        redis_use_clusters: Flag = false, "Use Redis Cluster";
        redis_use_sentinel: Flag = false, "Use Sentinel";
        redis_use_ssl: Flag = false, "TLS to Redis";

        // Event bus
        pubsub_redis_channel_type: ChannelType = "pubsub", "Event transport: pubsub | sharded | streams", names ["EVENT_BUS_REDIS_CHANNEL_TYPE", "PUBSUB_REDIS_CHANNEL_TYPE"], ignored EVENT_BUS;
        pubsub_redis_url: MaybeText = None, "Event bus Redis URL; empty = built from REDIS_*", names ["EVENT_BUS_REDIS_URL", "PUBSUB_REDIS_URL"], ignored EVENT_BUS;
        pubsub_redis_use_clusters: Flag = false, "Event bus via Redis Cluster client", names ["EVENT_BUS_REDIS_USE_CLUSTERS", "PUBSUB_REDIS_USE_CLUSTERS"], ignored EVENT_BUS;
        pubsub_streams_retention_seconds: Int = 600, "EXPIRE put on stream keys after each publish", names ["EVENT_BUS_STREAMS_RETENTION_SECONDS", "PUBSUB_STREAMS_RETENTION_SECONDS"], ignored EVENT_BUS;

        // Queue
        celery_backend: Text = "redis", "Result backend: redis | database | rabbitmq (latter two = db+DSN)", ignored CELERY_ONLY;
        celery_broker_url: MaybeText = None, "Celery broker (and redis result backend)";
        celery_sentinel_master_name: MaybeText = None, "Broker master name";
        celery_sentinel_password: MaybeText = None, "Broker sentinel password";
        celery_sentinel_socket_timeout: Float = 0.1, "Broker sentinel timeout s", ignored REDIS_CLIENT;
        celery_task_annotations: JsonObject = None, "JSON task_annotations (null = none)", ignored CELERY_ONLY;
        celery_use_sentinel: Flag = false, "Broker via Sentinel transport options", ignored BROKER_SCHEME;
        queue_monitor_alert_emails: MaybeText = None, "Comma list of alert recipients";
        queue_monitor_interval: Float = 30.0, "Minutes between queue checks (0/None = 30)";
        queue_monitor_threshold: Int = 200, "Alert when LLEN of broker list \"dataset\" reaches this";

        // Storage
        opendal_scheme: Text = "fs", "OpenDAL scheme; operator options come from OPENDAL_<SCHEME>_*";
        storage_local_path: Text = "storage", "Root for deprecated local backend";
        storage_type: StorageType = "opendal", "File storage backend";

        // Retrieval and its helpers
        aws_access_key_id: MaybeText = None, "Bedrock retrieval test helper credential";
        aws_secret_access_key: MaybeText = None, "Bedrock retrieval test helper credential";
        keyword_store: Text = "jieba", "Economy index engine";
        retrieval_service_executors: MaybeInt = None, "Retrieval thread count; default = CPU count", ignored ASYNC;

        // Storage: Aliyun OSS
        aliyun_cloudbox_id: MaybeText = None, "CloudBox id", ignored STORAGE;
        aliyun_oss_access_key: MaybeText = None, "Access key";
        aliyun_oss_auth_version: MaybeText = None, "V4 for V4 signing";
        aliyun_oss_bucket_name: MaybeText = None, "Bucket";
        aliyun_oss_endpoint: MaybeText = None, "Endpoint";
        aliyun_oss_path: MaybeText = None, "Key prefix";
        aliyun_oss_region: MaybeText = None, "Region";
        aliyun_oss_secret_key: MaybeText = None, "Secret key";

        // Storage: Azure Blob
        azure_blob_account_key: MaybeText = None, "Key, or managedidentity";
        azure_blob_account_name: MaybeText = None, "Account";
        azure_blob_account_url: MaybeText = None, "URL";
        azure_blob_container_name: MaybeText = None, "Container";

        // Storage: Baidu BOS
        baidu_obs_access_key: MaybeText = None, "Access key", ignored STORAGE;
        baidu_obs_bucket_name: MaybeText = None, "Bucket", ignored STORAGE;
        baidu_obs_endpoint: MaybeText = None, "Endpoint", ignored STORAGE;
        baidu_obs_secret_key: MaybeText = None, "Secret key", ignored STORAGE;

        // Storage: ClickZetta volume
        clickzetta_volume_dify_prefix: Text = "dify_km", "Directory prefix", ignored STORAGE;
        clickzetta_volume_instance: MaybeText = None, "Instance", ignored STORAGE;
        clickzetta_volume_name: MaybeText = None, "External volume name", ignored STORAGE;
        clickzetta_volume_password: MaybeText = None, "Password", ignored STORAGE;
        clickzetta_volume_schema: Text = "dify", "Schema", ignored STORAGE;
        clickzetta_volume_service: Text = "api.clickzetta.com", "Service endpoint", ignored STORAGE;
        clickzetta_volume_table_prefix: Text = "dataset_", "Table prefix", ignored STORAGE;
        clickzetta_volume_type: Text = "user", "user | table | external", ignored STORAGE;
        clickzetta_volume_username: MaybeText = None, "User", ignored STORAGE;
        clickzetta_volume_vcluster: Text = "default_ap", "Virtual cluster", ignored STORAGE;
        clickzetta_volume_workspace: Text = "quick_start", "Workspace", ignored STORAGE;

        // Storage: GCS
        google_storage_bucket_name: MaybeText = None, "Bucket";
        google_storage_service_account_json_base64: MaybeText = None, "Base64 service account JSON; empty = ADC";

        // Storage: Huawei OBS
        huawei_obs_access_key: MaybeText = None, "Access key";
        huawei_obs_bucket_name: MaybeText = None, "Bucket";
        huawei_obs_path_style: Flag = false, "Path style";
        huawei_obs_secret_key: MaybeText = None, "Secret key";
        huawei_obs_server: MaybeText = None, "Server";

        // Storage: OCI (S3 API)
        oci_access_key: MaybeText = None, "Access key";
        oci_bucket_name: MaybeText = None, "Bucket";
        oci_endpoint: MaybeText = None, "Endpoint";
        oci_region: MaybeText = None, "Region";
        oci_secret_key: MaybeText = None, "Secret key";

        // Storage: S3
        s3_access_key: MaybeText = None, "Access key";
        s3_address_style: S3AddressStyle = "auto", "Addressing style";
        s3_bucket_name: MaybeText = None, "Bucket";
        s3_endpoint: MaybeText = None, "Endpoint";
        s3_region: MaybeText = None, "Region";
        s3_secret_key: MaybeText = None, "Secret key";
        s3_use_aws_managed_iam: Flag = false, "Use instance role";

        // Storage: Supabase
        supabase_api_key: MaybeText = None, "API key", ignored STORAGE;
        supabase_bucket_name: MaybeText = None, "Bucket", ignored STORAGE;
        supabase_url: MaybeText = None, "URL", ignored STORAGE;

        // Storage: Tencent COS
        tencent_cos_bucket_name: MaybeText = None, "Bucket";
        tencent_cos_custom_domain: MaybeText = None, "Custom domain";
        tencent_cos_region: MaybeText = None, "Region";
        tencent_cos_scheme: MaybeText = None, "URL scheme";
        tencent_cos_secret_id: MaybeText = None, "Secret id";
        tencent_cos_secret_key: MaybeText = None, "Secret key";

        // Storage: Volcengine TOS
        volcengine_tos_access_key: MaybeText = None, "Access key";
        volcengine_tos_bucket_name: MaybeText = None, "Bucket";
        volcengine_tos_endpoint: MaybeText = None, "Endpoint";
        volcengine_tos_region: MaybeText = None, "Region";
        volcengine_tos_secret_key: MaybeText = None, "Secret key";

        // Vector store: Alibaba MySQL
        alibabacloud_mysql_charset: Text = "utf8mb4", "Charset", ignored VECTOR_STORE;
        alibabacloud_mysql_database: Text = "dify", "Database", ignored VECTOR_STORE;
        alibabacloud_mysql_distance_function: Text = "cosine", "Distance", ignored VECTOR_STORE;
        alibabacloud_mysql_hnsw_m: Positive = 6, "HNSW M", ignored VECTOR_STORE;
        alibabacloud_mysql_host: Text = "localhost", "Host", ignored VECTOR_STORE;
        alibabacloud_mysql_max_connection: Positive = 5, "Pool max", ignored VECTOR_STORE;
        alibabacloud_mysql_password: Text = "", "Password", ignored VECTOR_STORE;
        alibabacloud_mysql_port: Positive = 3306, "Port", ignored VECTOR_STORE;
        alibabacloud_mysql_user: Text = "root", "User", ignored VECTOR_STORE;

        // Vector store: AnalyticDB
        analyticdb_account: MaybeText = None, "Account", ignored VECTOR_STORE;
        analyticdb_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        analyticdb_instance_id: MaybeText = None, "Instance", ignored VECTOR_STORE;
        analyticdb_key_id: MaybeText = None, "Access key id", ignored VECTOR_STORE;
        analyticdb_key_secret: MaybeText = None, "Access key secret", ignored VECTOR_STORE;
        analyticdb_max_connection: Positive = 5, "Pool max", ignored VECTOR_STORE;
        analyticdb_min_connection: Positive = 1, "Pool min", ignored VECTOR_STORE;
        analyticdb_namespace: MaybeText = None, "Namespace", ignored VECTOR_STORE;
        analyticdb_namespace_password: MaybeText = None, "Namespace password", ignored VECTOR_STORE;
        analyticdb_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        analyticdb_port: Positive = 5432, "Port", ignored VECTOR_STORE;
        analyticdb_region_id: MaybeText = None, "Region", ignored VECTOR_STORE;

        // Vector store: Baidu VectorDB
        baidu_vector_db_account: MaybeText = None, "Account", ignored VECTOR_STORE;
        baidu_vector_db_api_key: MaybeText = None, "API key", ignored VECTOR_STORE;
        baidu_vector_db_connection_timeout_ms: Positive = 30000, "Connect timeout ms", ignored VECTOR_STORE;
        baidu_vector_db_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        baidu_vector_db_endpoint: MaybeText = None, "Endpoint", ignored VECTOR_STORE;
        baidu_vector_db_inverted_index_analyzer: Text = "DEFAULT_ANALYZER", "Analyzer", ignored VECTOR_STORE;
        baidu_vector_db_inverted_index_parser_mode: Text = "COARSE_MODE", "Parser mode", ignored VECTOR_STORE;
        baidu_vector_db_replicas: Natural = 3, "Replicas", ignored VECTOR_STORE;
        baidu_vector_db_shard: Positive = 1, "Partitions", ignored VECTOR_STORE;

        // Vector store: Chroma
        chroma_auth_credentials: MaybeText = None, "Auth credentials", ignored VECTOR_STORE;
        chroma_auth_provider: MaybeText = None, "Auth provider class", ignored VECTOR_STORE;
        chroma_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        chroma_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        chroma_port: Positive = 8000, "Port", ignored VECTOR_STORE;
        chroma_tenant: MaybeText = None, "Tenant", ignored VECTOR_STORE;

        // Vector store: ClickZetta
        clickzetta_analyzer_mode: MaybeText = Some("smart"), "Analyzer mode", ignored VECTOR_STORE;
        clickzetta_analyzer_type: MaybeText = Some("chinese"), "Analyzer", ignored VECTOR_STORE;
        clickzetta_batch_size: Int = 100, "Batch size", ignored VECTOR_STORE;
        clickzetta_enable_inverted_index: Flag = true, "Inverted index", ignored VECTOR_STORE;
        clickzetta_instance: MaybeText = None, "Instance", ignored VECTOR_STORE;
        clickzetta_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        clickzetta_schema: MaybeText = Some("public"), "Schema", ignored VECTOR_STORE;
        clickzetta_service: MaybeText = Some("api.clickzetta.com"), "Service endpoint", ignored VECTOR_STORE;
        clickzetta_username: MaybeText = None, "User", ignored VECTOR_STORE;
        clickzetta_vcluster: MaybeText = Some("default_ap"), "Virtual cluster", ignored VECTOR_STORE;
        clickzetta_vector_distance_function: MaybeText = Some("cosine_distance"), "Distance", ignored VECTOR_STORE;
        clickzetta_workspace: MaybeText = Some("default"), "Workspace", ignored VECTOR_STORE;

        // Vector store: Couchbase
        couchbase_bucket_name: MaybeText = None, "Bucket", ignored VECTOR_STORE;
        couchbase_connection_string: MaybeText = None, "Connection string", ignored VECTOR_STORE;
        couchbase_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        couchbase_scope_name: MaybeText = None, "Scope", ignored VECTOR_STORE;
        couchbase_user: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: Elasticsearch
        elasticsearch_api_key: MaybeText = None, "API key";
        elasticsearch_ca_certs: MaybeText = None, "CA file";
        elasticsearch_cloud_url: MaybeText = None, "URL";
        elasticsearch_host: MaybeText = Some("127.0.0.1"), "Host";
        elasticsearch_max_retries: Int = 10000, "Retries";
        elasticsearch_password: MaybeText = Some("elastic"), "Password";
        elasticsearch_port: Positive = 9200, "Port";
        elasticsearch_request_timeout: Int = 100000, "Timeout s";
        elasticsearch_retry_on_timeout: Flag = true, "Retry on timeout";
        elasticsearch_username: MaybeText = Some("elastic"), "User";
        elasticsearch_use_cloud: Flag = false, "Use Elastic Cloud";
        elasticsearch_verify_certs: Flag = false, "Verify TLS";

        // Vector store: Hologres
        hologres_access_key_id: MaybeText = None, "Access key id", ignored VECTOR_STORE;
        hologres_access_key_secret: MaybeText = None, "Access key secret", ignored VECTOR_STORE;
        hologres_base_quantization_type: HologresQuantisation = "rabitq", "Quantisation", ignored VECTOR_STORE;
        hologres_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        hologres_distance_method: HologresDistance = "Cosine", "Distance", ignored VECTOR_STORE;
        hologres_ef_construction: Int = 400, "Build ef", ignored VECTOR_STORE;
        hologres_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        hologres_max_degree: Int = 64, "Graph degree", ignored VECTOR_STORE;
        hologres_port: Int = 80, "Port", ignored VECTOR_STORE;
        hologres_schema: Text = "public", "Schema", ignored VECTOR_STORE;
        hologres_tokenizer: HologresTokenizer = "jieba", "Tokenizer", ignored VECTOR_STORE;

        // Vector store: Huawei CSS
        huawei_cloud_hosts: MaybeText = None, "Hosts", ignored VECTOR_STORE;
        huawei_cloud_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        huawei_cloud_user: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: InterSystems IRIS
        iris_connection_url: MaybeText = None, "URL", ignored VECTOR_STORE;
        iris_database: MaybeText = Some("USER"), "Database", ignored VECTOR_STORE;
        iris_host: MaybeText = Some("localhost"), "Host", ignored VECTOR_STORE;
        iris_max_connection: Positive = 3, "Pool max", ignored VECTOR_STORE;
        iris_min_connection: Positive = 1, "Pool min", ignored VECTOR_STORE;
        iris_password: MaybeText = Some("Dify@1234"), "Password", ignored VECTOR_STORE;
        iris_schema: MaybeText = Some("dify"), "Schema", ignored VECTOR_STORE;
        iris_super_server_port: Int = 1972, "Port", ignored VECTOR_STORE;
        iris_text_index: Flag = true, "Full-text index", ignored VECTOR_STORE;
        iris_text_index_language: Text = "en", "Full-text language", ignored VECTOR_STORE;
        iris_user: MaybeText = Some("_SYSTEM"), "User", ignored VECTOR_STORE;

        // Vector store: Lindorm
        lindorm_distance_type: MaybeText = Some("l2"), "Distance", ignored VECTOR_STORE;
        lindorm_index_type: MaybeText = Some("hnsw"), "Index type", ignored VECTOR_STORE;
        lindorm_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        lindorm_query_timeout: Float = 2.0, "Timeout s", ignored VECTOR_STORE;
        lindorm_url: MaybeText = None, "URL", ignored VECTOR_STORE;
        lindorm_username: MaybeText = None, "User", ignored VECTOR_STORE;
        lindorm_using_ugc: Flag = true, "UGC (routed) index mode", ignored VECTOR_STORE;

        // Vector store: MatrixOne
        matrixone_database: Text = "dify", "Database", ignored VECTOR_STORE;
        matrixone_host: Text = "localhost", "Host", ignored VECTOR_STORE;
        matrixone_metric: Text = "l2", "Distance l2|cosine", ignored VECTOR_STORE;
        matrixone_password: Text = "111", "Password", ignored VECTOR_STORE;
        matrixone_port: Int = 6001, "Port", ignored VECTOR_STORE;
        matrixone_user: Text = "dump", "User", ignored VECTOR_STORE;

        // Vector store: Milvus
        milvus_analyzer_params: MaybeText = None, "Analyzer JSON";
        milvus_database: Text = "default", "Database";
        milvus_enable_hybrid_search: Flag = true, "Hybrid search";
        milvus_password: MaybeText = None, "Password";
        milvus_token: MaybeText = None, "Token";
        milvus_uri: MaybeText = Some("http://127.0.0.1:19530"), "URI";
        milvus_user: MaybeText = None, "User";

        // Vector store: MyScale
        myscale_database: Text = "default", "Database", ignored VECTOR_STORE;
        myscale_fts_params: Text = "", "Full-text index params", ignored VECTOR_STORE;
        myscale_host: Text = "localhost", "Host", ignored VECTOR_STORE;
        myscale_password: Text = "", "Password", ignored VECTOR_STORE;
        myscale_port: Positive = 8123, "Port", ignored VECTOR_STORE;
        myscale_user: Text = "default", "User", ignored VECTOR_STORE;

        // Vector store: OceanBase
        oceanbase_enable_hybrid_search: Flag = false, "Hybrid search", ignored VECTOR_STORE;
        oceanbase_fulltext_parser: MaybeText = Some("ik"), "Full-text parser", ignored VECTOR_STORE;
        oceanbase_hnsw_ef_construction: Positive = 256, "HNSW build ef", ignored VECTOR_STORE;
        oceanbase_hnsw_ef_search: Int = -1, "HNSW search ef (-1 default)", ignored VECTOR_STORE;
        oceanbase_hnsw_m: Positive = 16, "HNSW M", ignored VECTOR_STORE;
        oceanbase_hnsw_refresh_threshold: Int = 1000, "Rows before index refresh", ignored VECTOR_STORE;
        oceanbase_vector_batch_size: Positive = 100, "Batch size", ignored VECTOR_STORE;
        oceanbase_vector_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        oceanbase_vector_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        oceanbase_vector_max_overflow: Int = 10, "Pool overflow", ignored VECTOR_STORE;
        oceanbase_vector_metric_type: OceanBaseMetric = "l2", "Distance", ignored VECTOR_STORE;
        oceanbase_vector_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        oceanbase_vector_pool_size: Positive = 5, "Pool size", ignored VECTOR_STORE;
        oceanbase_vector_port: Int = 2881, "Port", ignored VECTOR_STORE;
        oceanbase_vector_user: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: OpenSearch
        opensearch_auth_method: OpenSearchAuth = "basic", "basic | aws_managed_iam";
        opensearch_aws_region: MaybeText = None, "Region", ignored VECTOR_STORE;
        opensearch_aws_service: MaybeAwsService = None, "es | aoss", ignored VECTOR_STORE;
        opensearch_host: MaybeText = None, "Host";
        opensearch_password: MaybeText = None, "Password";
        opensearch_port: Positive = 9200, "Port";
        opensearch_secure: Flag = false, "Https";
        opensearch_user: MaybeText = None, "User";
        opensearch_verify_certs: Flag = true, "Verify TLS";

        // Vector store: Oracle
        oracle_config_dir: MaybeText = None, "Config dir", ignored VECTOR_STORE;
        oracle_dsn: MaybeText = None, "DSN", ignored VECTOR_STORE;
        oracle_is_autonomous: Flag = false, "Autonomous DB mode", ignored VECTOR_STORE;
        oracle_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        oracle_user: MaybeText = None, "User", ignored VECTOR_STORE;
        oracle_wallet_location: MaybeText = None, "Wallet dir", ignored VECTOR_STORE;
        oracle_wallet_password: MaybeText = None, "Wallet password", ignored VECTOR_STORE;

        // Vector store: Qdrant
        qdrant_api_key: MaybeText = None, "API key";
        qdrant_client_timeout: Natural = 20, "Timeout s";
        qdrant_grpc_enabled: Flag = false, "Switch", ignored NO_GRPC;
        qdrant_grpc_port: Positive = 6334, "GRPC port", ignored NO_GRPC;
        qdrant_replication_factor: Positive = 1, "Replication factor";
        qdrant_url: MaybeText = None, "URL";

        // Vector store: Relyt
        relyt_database: MaybeText = Some("default"), "Database", ignored VECTOR_STORE;
        relyt_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        relyt_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        relyt_port: Positive = 9200, "Port", ignored VECTOR_STORE;
        relyt_user: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: TableStore
        tablestore_access_key_id: MaybeText = None, "Access key id", ignored VECTOR_STORE;
        tablestore_access_key_secret: MaybeText = None, "Access key secret", ignored VECTOR_STORE;
        tablestore_endpoint: MaybeText = None, "Endpoint", ignored VECTOR_STORE;
        tablestore_instance_name: MaybeText = None, "Instance", ignored VECTOR_STORE;
        tablestore_normalize_fulltext_bm25_score: Flag = false, "Scale BM25 to 0..1", ignored VECTOR_STORE;

        // Vector store: Tencent
        tencent_vector_db_api_key: MaybeText = None, "API key", ignored VECTOR_STORE;
        tencent_vector_db_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        tencent_vector_db_enable_hybrid_search: Flag = false, "Hybrid search", ignored VECTOR_STORE;
        tencent_vector_db_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        tencent_vector_db_replicas: Natural = 2, "Replicas", ignored VECTOR_STORE;
        tencent_vector_db_shard: Positive = 1, "Shards", ignored VECTOR_STORE;
        tencent_vector_db_timeout: Positive = 30, "Timeout s", ignored VECTOR_STORE;
        tencent_vector_db_url: MaybeText = None, "URL", ignored VECTOR_STORE;
        tencent_vector_db_username: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: TiDB
        tidb_vector_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        tidb_vector_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        tidb_vector_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        tidb_vector_port: Int = 4000, "Port", ignored VECTOR_STORE;
        tidb_vector_user: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: TiDB serverless admin
        tidb_api_url: MaybeText = None, "URL", ignored VECTOR_STORE;
        tidb_iam_api_url: MaybeText = None, "URL", ignored VECTOR_STORE;
        tidb_private_key: MaybeText = None, "Private key", ignored VECTOR_STORE;
        tidb_project_id: MaybeText = None, "Project id", ignored VECTOR_STORE;
        tidb_public_key: MaybeText = None, "Public key", ignored VECTOR_STORE;
        tidb_region: MaybeText = Some("regions/aws-us-east-1"), "Region", ignored VECTOR_STORE;
        tidb_spend_limit: Int = 100, "Spend limit", ignored VECTOR_STORE;

        // Vector store: TiDB-on-Qdrant
        tidb_on_qdrant_api_key: MaybeText = None, "API key", ignored VECTOR_STORE;
        tidb_on_qdrant_client_timeout: Natural = 20, "Timeout s", ignored VECTOR_STORE;
        tidb_on_qdrant_grpc_enabled: Flag = false, "Switch", ignored VECTOR_STORE;
        tidb_on_qdrant_grpc_port: Positive = 6334, "GRPC port", ignored VECTOR_STORE;
        tidb_on_qdrant_url: MaybeText = None, "URL", ignored VECTOR_STORE;

        // Vector store: Upstash
        upstash_vector_token: MaybeText = None, "Token", ignored VECTOR_STORE;
        upstash_vector_url: MaybeText = None, "URL", ignored VECTOR_STORE;

        // Vector store: Vastbase
        vastbase_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        vastbase_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        vastbase_max_connection: Positive = 5, "Pool max", ignored VECTOR_STORE;
        vastbase_min_connection: Positive = 1, "Pool min", ignored VECTOR_STORE;
        vastbase_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        vastbase_port: Positive = 5432, "Port", ignored VECTOR_STORE;
        vastbase_user: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: VikingDB
        vikingdb_access_key: MaybeText = None, "Access key", ignored VECTOR_STORE;
        vikingdb_connection_timeout: Int = 30, "Connect timeout s", ignored VECTOR_STORE;
        vikingdb_host: Text = "api-vikingdb.mlp.cn-shanghai.volces.com", "Host", ignored VECTOR_STORE;
        vikingdb_region: Text = "cn-shanghai", "Region", ignored VECTOR_STORE;
        vikingdb_scheme: Text = "http", "URL scheme", ignored VECTOR_STORE;
        vikingdb_secret_key: MaybeText = None, "Secret key", ignored VECTOR_STORE;
        vikingdb_socket_timeout: Int = 30, "Timeout s", ignored VECTOR_STORE;

        // Vector store: Weaviate
        weaviate_api_key: MaybeText = None, "API key";
        weaviate_batch_size: Positive = 100, "Batch size";
        weaviate_endpoint: MaybeText = None, "Endpoint";
        weaviate_grpc_endpoint: MaybeText = None, "Endpoint", ignored NO_GRPC;
        weaviate_tokenization: MaybeText = Some("word"), "BM25 tokenizer";

        // Vector store: openGauss
        opengauss_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        opengauss_enable_pq: Flag = false, "Product quantisation", ignored VECTOR_STORE;
        opengauss_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        opengauss_max_connection: Positive = 5, "Pool max", ignored VECTOR_STORE;
        opengauss_min_connection: Positive = 1, "Pool min", ignored VECTOR_STORE;
        opengauss_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        opengauss_port: Positive = 6600, "Port", ignored VECTOR_STORE;
        opengauss_user: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: pgvecto.rs
        pgvecto_rs_database: MaybeText = None, "Database", ignored VECTOR_STORE;
        pgvecto_rs_host: MaybeText = None, "Host", ignored VECTOR_STORE;
        pgvecto_rs_password: MaybeText = None, "Password", ignored VECTOR_STORE;
        pgvecto_rs_port: Positive = 5431, "Port", ignored VECTOR_STORE;
        pgvecto_rs_user: MaybeText = None, "User", ignored VECTOR_STORE;

        // Vector store: pgvector
        pgvector_database: MaybeText = None, "Database";
        pgvector_host: MaybeText = None, "Host";
        pgvector_max_connection: Positive = 5, "Pool max";
        pgvector_min_connection: Positive = 1, "Pool min";
        pgvector_password: MaybeText = None, "Password";
        pgvector_pg_bigm: Flag = false, "Use pg_bigm full text";
        pgvector_port: Positive = 5433, "Port";
        pgvector_user: MaybeText = None, "User";

        // Vector stores
        vector_index_name_prefix: MaybeText = Some("Vector_index"), "Prefix of collection names";
        vector_store: MaybeText = None, "Vector store id (weaviate, qdrant, pgvector, milvus, ...)";
        vector_store_whitelist_enable: Flag = false, "When true, tenants in whitelists table are pinned to tidb_on_qdrant", ignored VECTOR_STORE;
    }
}
