#!/bin/sh
# A receiver with openssl and jq, as a CGI program for lighttpd, Apache or busybox: checks webhook-signature (Standard
# Webhooks), reads batches, drops repetitions. Others on the same machine can see the key among openssl's arguments.
#   mkdir -p www/cgi-bin && cp examples/receivers/openssl.sh www/cgi-bin/
#   SECRET=... busybox httpd -f -p 127.0.0.1:3000 -h www      # http://127.0.0.1:3000/cgi-bin/openssl.sh
set -eu
TOLERANCE_SECONDS=300
BODY_BYTES_MAX=11000000

answer() {
  printf 'Status: %s\r\nContent-Type: text/plain\r\n\r\n%s' "$1" "$2"
  exit 0
}

as_hex() { od -An -v -tx1 | tr -d ' \n'; }
sha256() { openssl dgst -sha256 -binary | as_hex; }

key_hex() {
  case $SECRET in
    whsec_*) printf '%s' "${SECRET#whsec_}" | openssl base64 -d -A | as_hex ;;
    *) printf '%s' "$SECRET" | as_hex ;;
  esac
}

# True for a request that was signed with the secret, within the last minutes. A header may hold anything.
is_genuine() {
  id=${HTTP_WEBHOOK_ID-} timestamp=${HTTP_WEBHOOK_TIMESTAMP-}
  case $timestamp in '' | *[!0-9]* | ???????????????*) return 1 ;; esac
  # Without leading zeros, which would make it octal.
  seconds=$(printf '%s' "$timestamp" | sed 's/^0*//')
  age=$(($(date +%s) - ${seconds:-0}))
  [ "$age" -lt "$TOLERANCE_SECONDS" ] && [ "$age" -gt "-$TOLERANCE_SECONDS" ] || return 1
  expected=v1,$({ printf '%s.%s.' "$id" "$timestamp" && cat "$body"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(key_hex)" -binary | openssl base64 -A)
  # Salted hashes are compared, so that the time it takes tells nothing of the signature.
  salt=$(openssl rand -hex 16)
  wanted=$(printf '%s%s' "$salt" "$expected" | sha256)
  set -f
  # While a secret is being rotated there are two, separated by a space. A stranger could send thousands.
  tried=0
  for signature in ${HTTP_WEBHOOK_SIGNATURE-}; do
    [ $((tried += 1)) -le 8 ] || return 1
    [ "$(printf '%s%s' "$salt" "$signature" | sha256)" = "$wanted" ] && return 0
  done
  return 1
}

# Your work: here a line on the error output, or in the file INBOX. It fails when it could not be done.
work() {
  line="Received $(printf '%s' "$1" | jq -er '.event + " " + .id')" || return 1
  if [ -n "${INBOX-}" ]; then printf '%s\n' "$line" >> "$INBOX"; else printf '%s\n' "$line" >&2; fi
}

# Does the work of every event that is not done yet. What fails is tried again with the next attempt.
handle() {
  # The shell ignores `set -e` in here, as it is asked how this ends.
  handled=${HANDLED:-${TMPDIR:-/tmp}/posthorn-handled}
  mkdir -p "$handled" && exec 9> "$handled/lock" && flock 9 || return 1
  # A subscription with batchSettings gets several events in one request.
  jq -ce 'if .batch == true then .events[] else . end' "$body" > "$body.events" || return 1
  while IFS= read -r event; do
    # Ids of what is done are files here. In earnest: a unique column, written in the transaction of your work.
    done=$handled/$(printf '%s' "$event" | jq -j '.id' | sha256)
    [ -e "$done" ] && continue
    work "$event" || return 1
    # Not before the work: an id kept by work that failed would make its repetition look done.
    : > "$done" || return 1
  done < "$body.events"
}

[ -n "${SECRET-}" ] || answer '500 Internal Server Error' 'Set SECRET to the secret of your subscription.'
case ${CONTENT_LENGTH-} in '' | *[!0-9]* | ?????????*) answer '413 Content Too Large' 'Too large' ;; esac
[ "$CONTENT_LENGTH" -le "$BODY_BYTES_MAX" ] || answer '413 Content Too Large' 'Too large'
body=$(mktemp)
trap 'rm -f "$body" "$body.events"' EXIT
# The bytes as they came, in a file: a variable of the shell would drop some of them.
head -c "$CONTENT_LENGTH" > "$body"
is_genuine || answer '401 Unauthorized' 'Invalid signature'
if (handle); then answer '200 OK' 'Event processed successfully'; fi
answer '500 Internal Server Error' 'Not done, try again'
