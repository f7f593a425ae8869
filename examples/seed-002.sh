#!/usr/bin/env bash
# Every call of seed 002, in its own words, against a running relay:
#
#   npm start                                                        # one terminal
#   SECRET=your-webhook-secret-key node examples/receivers/node.mjs  # another
#   RECEIVER=http://127.0.0.1:3000/webhooks/bigledger examples/seed-002.sh
#
# The two subscriptions to hosts that only the document knows are deleted before anything is published.
set -euo pipefail

RELAY="${RELAY:-http://127.0.0.1:8787}"
KEY="${KEY:-posthorn_local_admin}"
# A workspace of its own for each run: an event with an id of its own is published once per workspace.
COMPANY="${COMPANY:-company_$(date -u +%Y%m%d%H%M%S)_$$}"
: "${RECEIVER:?Set RECEIVER to the URL of a receiver, for example http://127.0.0.1:3000/webhooks/bigledger}"

EVENTS="$(cd "$(dirname "$0")" && pwd)/events"
TODAY="$(date -u +%Y-%m-%d)"
ANSWER="$(mktemp)"
trap 'rm -f "$ANSWER"' EXIT

# Shows the call and its answer, keeps the answer, and ends the script when the relay refuses.
curl() {
  local status=0
  printf '%s %s\n' "$2" "$3"
  command curl --silent --show-error --fail-with-body --max-time 60 --output "$ANSWER" "$@" || status=$?
  cat "$ANSWER"
  printf '\n'
  return "$status"
}

step() {
  printf '\n# %s\n' "$1"
}

# The id of the subscription in the last answer.
webhook_id() {
  sed -n 's/.*"id": *"\(webhook_[A-Za-z0-9_-]*\)".*/\1/p' "$ANSWER"
}

step 'Create a subscription'
curl -X POST "$RELAY/v1/webhooks/subscribe" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY" \
  -H "Content-Type: application/json" \
  -d '{
    "url": "https://your-app.com/webhooks/bigledger",
    "events": ["invoice.created", "invoice.paid"],
    "secret": "your-secret-key"
  }'
WEBHOOK="$(webhook_id)"

step 'List the subscriptions'
curl -X GET "$RELAY/v1/webhooks" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY"

step 'Update it: what is named changes, the rest stays'
curl -X PUT "$RELAY/api/v1/webhooks/$WEBHOOK" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY" \
  -H "Content-Type: application/json" \
  -d '{
    "events": [
      "invoice.created",
      "invoice.paid",
      "customer.created"
    ],
    "active": true
  }'

step 'Delete it'
curl -X DELETE "$RELAY/api/v1/webhooks/$WEBHOOK" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY"

step 'Subscribe a tunnel to this machine; the secret is generated'
# Use the HTTPS URL for webhook subscription
curl -X POST "$RELAY/v1/webhooks/subscribe" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY" \
  -H "Content-Type: application/json" \
  -d '{
    "url": "https://abc123.ngrok.io/webhooks/bigledger",
    "events": ["invoice.created"]
  }'
WEBHOOK="$(webhook_id)"

step 'Delete that too'
curl -X DELETE "$RELAY/api/v1/webhooks/$WEBHOOK" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY"

step 'Subscribe a receiver that is there, with every field of the document'
curl -X POST "$RELAY/api/v1/webhooks/subscribe" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY" \
  -H "Content-Type: application/json" \
  -d '{
    "url": "'"$RECEIVER"'",
    "events": [
      "invoice.created",
      "invoice.paid",
      "payment.received"
    ],
    "secret": "your-webhook-secret-key",
    "description": "Main webhook for invoice and payment events",
    "active": true,
    "retryPolicy": {
      "maxRetries": 3,
      "retryDelay": 5,
      "backoffMultiplier": 2
    }
  }'
WEBHOOK="$(webhook_id)"

step 'Send it a test event'
curl -X POST "$RELAY/api/v1/webhooks/$WEBHOOK/test" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY" \
  -H "Content-Type: application/json" \
  -d '{
    "event": "invoice.created",
    "testData": {
      "invoiceId": "inv_test_123",
      "customerId": "cust_test_456"
    }
  }'

for event in invoice.created invoice.paid payment.received; do
  step "Publish $event"
  curl -X POST "$RELAY/api/v1/events" \
    -H "Authorization: Bearer $KEY" \
    -H "X-Company-Id: $COMPANY" \
    -H "Content-Type: application/json" \
    --data-binary "@$EVENTS/002-$event.json"
done

step 'Wait until they are delivered'
tries=0
until [ "$tries" -eq 50 ]; do
  command curl --silent --show-error --fail-with-body --max-time 60 --output "$ANSWER" \
    -X GET "$RELAY/api/v1/webhooks/$WEBHOOK/statistics" \
    -H "Authorization: Bearer $KEY" \
    -H "X-Company-Id: $COMPANY"
  if grep -q '"totalDelivered": *3' "$ANSWER"; then break; fi
  tries=$((tries + 1))
  sleep 0.2
done
[ "$tries" -lt 50 ] || echo 'Not all of them were delivered within ten seconds; the logs below say why.'

step 'Its statistics'
curl -X GET "$RELAY/api/v1/webhooks/$WEBHOOK/statistics" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY"

step 'Its logs'
curl -X GET "$RELAY/api/v1/webhooks/$WEBHOOK/logs" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY"

for query in event=invoice.paid status=success status=failed status=pending "dateFrom=$TODAY" "dateTo=2024-01-31" limit=2 \
  "event=invoice.paid&status=success&dateFrom=$TODAY&dateTo=2099-12-31&limit=10"; do
  step "Its logs, filtered: $query"
  curl -X GET "$RELAY/api/v1/webhooks/$WEBHOOK/logs?$query" \
    -H "Authorization: Bearer $KEY" \
    -H "X-Company-Id: $COMPANY"
done

step 'Delete it'
curl -X DELETE "$RELAY/api/v1/webhooks/$WEBHOOK" \
  -H "Authorization: Bearer $KEY" \
  -H "X-Company-Id: $COMPANY"
