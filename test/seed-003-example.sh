#!/usr/bin/env bash
# The walk from nothing to a connected account with keys of its own, as commands: register, connect, look, then replace keys.
#
# test/seed-003-example.test.ts runs each block as it stands here, in this order, with two things put in: the server's
# address for http://localhost:8000, and the token that the first answer brings for <JWT_ACCESS_TOKEN>. By hand: start the
# server with `npm start`, and paste one block after another.

## step 1.1: register a tenant
curl -X POST http://localhost:8000/api/v1/auth/tenants/register/ \
  -H "Content-Type: application/json" \
  -d '{
    "company_name": "My SaaS",
    "email": "admin@mysaas.com",
    "password": "SecurePass123!",
    "domain": "mysaas.com"
  }'

## step 1.2: ask for the address of Stripe's page, and open it in a browser
curl -X POST http://localhost:8000/api/v1/auth/tenants/stripe/connect/ \
  -H "Authorization: Bearer <JWT_ACCESS_TOKEN>"

## step 1.3: how the account stands
curl -X GET http://localhost:8000/api/v1/auth/tenants/stripe/status/ \
  -H "Authorization: Bearer <JWT_ACCESS_TOKEN>"

## step 3.1: list the keys
curl -X GET http://localhost:8000/api/v1/auth/tenants/api-keys/ \
  -H "Authorization: Bearer <JWT_ACCESS_TOKEN>"

## step 3.2: replace the test keys
curl -X POST http://localhost:8000/api/v1/auth/tenants/api-keys/regenerate/ \
  -H "Authorization: Bearer <JWT_ACCESS_TOKEN>" \
  -H "Content-Type: application/json" \
  -d '{
    "key_type": "test",
    "confirm": true
  }'
