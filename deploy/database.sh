#!/bin/sh
# Runs database.sql at the first start of compose.yaml's PostgreSQL.
set -eu
psql -v ON_ERROR_STOP=1 -v owner_password="$OWNER_PASSWORD" -v pooler_password="$POOLER_PASSWORD" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -f /opt/billhook/database.sql
