/** The JSON examples of the specification of integrations that are whole documents, word for word. */
export const INTEGRATIONS = [
  {
    name: 'main_database',
    type: 'postgresql',
    connection: {
      host: 'db.company.com',
      port: 5432,
      database: 'analytics',
      username: 'readonly_user',
      password: '${DB_PASSWORD}',
      ssl: true,
    },
    sync_settings: {
      mode: 'incremental',
      schedule: '0 */6 * * *',
      batch_size: 1000,
    },
  },
  {
    name: 'user_profiles',
    type: 'mongodb',
    connection: {
      uri: 'mongodb://cluster.mongodb.net/userdb',
      auth_database: 'admin',
      username: 'analytics_user',
      password: '${MONGO_PASSWORD}',
    },
    collections: ['users', 'profiles', 'preferences'],
    sync_settings: {
      mode: 'real_time',
      change_streams: true,
    },
  },
  {
    name: 'aws_s3_data',
    type: 'aws_s3',
    connection: {
      region: 'us-east-1',
      bucket: 'company-data-lake',
      access_key_id: '${AWS_ACCESS_KEY}',
      secret_access_key: '${AWS_SECRET_KEY}',
    },
    file_patterns: ['*.csv', '*.json', '*.parquet'],
    sync_settings: {
      mode: 'batch',
      schedule: '0 2 * * *',
    },
  },
  {
    name: 'aws_rds_analytics',
    type: 'aws_rds',
    connection: {
      endpoint: 'analytics.cluster-xyz.us-east-1.rds.amazonaws.com',
      port: 5432,
      database: 'analytics',
      username: 'explorerio',
      password: '${RDS_PASSWORD}',
      ssl: true,
    },
  },
  {
    name: 'gcp_bigquery',
    type: 'google_bigquery',
    connection: {
      project_id: 'company-analytics',
      dataset_id: 'warehouse',
      credentials_path: '/path/to/service-account.json',
    },
    tables: ['sales', 'customers', 'products'],
    sync_settings: {
      mode: 'incremental',
      partition_field: 'created_at',
    },
  },
  {
    name: 'azure_sql',
    type: 'azure_sql',
    connection: {
      server: 'company.database.windows.net',
      database: 'Analytics',
      username: 'explorerio',
      password: '${AZURE_SQL_PASSWORD}',
      encrypt: true,
    },
  },
  {
    name: 'crm_api',
    type: 'rest_api',
    connection: {
      base_url: 'https://api.company.com/v1',
      authentication: {
        type: 'bearer_token',
        token: '${CRM_API_TOKEN}',
      },
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'ExplorerIO/1.0',
      },
    },
    endpoints: [
      {
        name: 'customers',
        path: '/customers',
        method: 'GET',
        pagination: {
          type: 'offset',
          limit_param: 'limit',
          offset_param: 'offset',
          page_size: 100,
        },
      },
    ],
  },
  {
    name: 'graphql_api',
    type: 'graphql',
    connection: {
      url: 'https://api.company.com/graphql',
      authentication: {
        type: 'api_key',
        header: 'X-API-Key',
        value: '${GRAPHQL_API_KEY}',
      },
    },
    queries: [
      {
        name: 'user_analytics',
        query: 'query GetUsers($limit: Int) { users(limit: $limit) { id name email created_at } }',
        variables: {
          limit: 1000,
        },
      },
    ],
  },
  {
    name: 'kafka_events',
    type: 'kafka',
    connection: {
      bootstrap_servers: ['kafka1:9092', 'kafka2:9092'],
      security_protocol: 'SASL_SSL',
      sasl_mechanism: 'PLAIN',
      sasl_username: '${KAFKA_USERNAME}',
      sasl_password: '${KAFKA_PASSWORD}',
    },
    topics: ['user_events', 'transaction_events'],
    consumer_group: 'explorerio_analytics',
    sync_settings: {
      mode: 'real_time',
      auto_offset_reset: 'latest',
    },
  },
  {
    name: 'rabbitmq_queue',
    type: 'rabbitmq',
    connection: {
      host: 'rabbitmq.company.com',
      port: 5672,
      username: '${RABBITMQ_USER}',
      password: '${RABBITMQ_PASSWORD}',
      virtual_host: '/analytics',
    },
    queues: ['data_ingestion', 'event_processing'],
    exchange: 'analytics_exchange',
  },
] as const;

/** Its examples of single sections, by the name of the section. */
export const SECTIONS = {
  transformations: [
    [
      {
        type: 'field_mapping',
        mappings: {
          customer_id: 'id',
          customer_name: 'name',
          email_address: 'email',
          signup_date: 'created_at',
        },
      },
      {
        type: 'data_type_conversion',
        conversions: {
          created_at: 'datetime',
          age: 'integer',
          is_active: 'boolean',
        },
      },
      {
        type: 'data_enrichment',
        enrichments: [
          {
            field: 'country',
            source: 'ip_geolocation',
            input_field: 'ip_address',
          },
        ],
      },
    ],
  ],
  validation_rules: [
    [
      {
        field: 'email',
        type: 'email_format',
        required: true,
      },
      {
        field: 'age',
        type: 'range',
        min: 0,
        max: 150,
      },
      {
        field: 'country_code',
        type: 'enum',
        values: ['US', 'CA', 'UK', 'DE', 'FR'],
      },
    ],
  ],
  error_handling: [
    {
      strategy: 'quarantine',
      notification: true,
    },
  ],
  health_checks: [
    {
      enabled: true,
      interval: 300,
      timeout: 30,
      retry_attempts: 3,
    },
  ],
  metrics: [
    {
      connection_status: true,
      sync_performance: true,
      error_rates: true,
      data_freshness: true,
    },
  ],
  alerts: [
    [
      {
        name: 'Integration Failure',
        condition: "connection_status == 'failed'",
        severity: 'critical',
        notification_channels: ['email', 'slack'],
      },
      {
        name: 'High Error Rate',
        condition: 'error_rate > 0.05',
        duration: '5m',
        severity: 'warning',
      },
      {
        name: 'Data Staleness',
        condition: "last_sync_age > '2h'",
        severity: 'warning',
      },
    ],
  ],
  credential_store: [
    {
      type: 'encrypted_file',
      encryption_key: '${ENCRYPTION_KEY}',
      file_path: '/secure/credentials.enc',
    },
  ],
  rotation_policy: [
    {
      enabled: true,
      interval: '90d',
      notification: true,
    },
  ],
  network_security: [
    {
      use_vpn: true,
      vpn_endpoint: 'vpn.company.com',
      allowed_ip_ranges: ['10.0.0.0/8', '192.168.1.0/24'],
      require_ssl: true,
      ssl_verification: true,
    },
  ],
  sync_strategy: [
    {
      type: 'incremental',
      method: 'timestamp',
      timestamp_field: 'updated_at',
      initial_sync: 'full',
      checkpoint_storage: 'database',
    },
    {
      type: 'cdc',
      method: 'database_logs',
      capture_deletes: true,
      capture_schema_changes: false,
      batch_size: 1000,
    },
  ],
  webhook_config: [
    {
      endpoint: 'https://explorerio.company.com/webhooks/data-update',
      authentication: {
        type: 'hmac_sha256',
        secret: '${WEBHOOK_SECRET}',
      },
      retry_policy: {
        max_attempts: 3,
        backoff: 'exponential',
      },
    },
  ],
} as const;
