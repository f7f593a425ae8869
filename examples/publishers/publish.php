<?php
// Publishes events from PHP 8 with nothing but PHP. A publish is repeated under the same id, so trying again is safe.
//   POSTHORN_URL=http://127.0.0.1:8787 POSTHORN_KEY=... POSTHORN_WORKSPACE=default

declare(strict_types=1);

const POSTHORN_TRIES = 5;
const POSTHORN_TIMEOUT_SECONDS = 10;

/**
 * Publishes an event, and returns once the relay has stored it.
 *
 * @param string $id An id of yours for this change, such as "post-123-created": A-Z a-z 0-9 _ -
 * @return string The event's id
 * @throws RuntimeException when the relay refuses the event, or cannot be reached in five tries
 */
function publishEvent(string $event, array|object $data, string $id, ?string $apiVersion = null): string
{
    // An empty list would be a JSON list, and data is an object.
    $body = ['id' => $id, 'event' => $event, 'data' => $data === [] ? (object) [] : $data];
    if ($apiVersion !== null) {
        $body['api_version'] = $apiVersion;
    }
    $json = json_encode($body, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION);
    for ($try = 1; ; $try++) {
        [$status, $answer, $retryAfterSeconds] = postToPosthorn('/api/v1/events', $json);
        if ($status >= 200 && $status < 300) {
            return json_decode($answer, true, 512, JSON_THROW_ON_ERROR)['data']['id'];
        }
        $isFinal = $status >= 400 && $status < 500 && $status !== 429;
        if ($isFinal || $try === POSTHORN_TRIES) {
            throw new RuntimeException("Posthorn answered $status to $event $id: $answer");
        }
        sleep($retryAfterSeconds ?? 2 ** ($try - 1));
    }
}

/** @return array{int, string, ?int} Status (0 without an answer), body, and Retry-After in seconds */
function postToPosthorn(string $path, string $json): array
{
    $headers = [
        'Authorization: Bearer ' . getenv('POSTHORN_KEY'),
        'X-Company-Id: ' . (getenv('POSTHORN_WORKSPACE') ?: 'default'),
        'Content-Type: application/json',
    ];
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => implode("\r\n", $headers),
        'content' => $json,
        'timeout' => POSTHORN_TIMEOUT_SECONDS,
        'ignore_errors' => true,
    ]]);
    $http_response_header = [];
    $answer = @file_get_contents(rtrim((string) getenv('POSTHORN_URL'), '/') . $path, false, $context);
    preg_match('#^HTTP/\S+ (\d{3})#', $http_response_header[0] ?? '', $status);
    preg_match('/^retry-after: *(\d+)$/mi', implode("\n", $http_response_header), $retryAfter);
    return [(int) ($status[1] ?? 0), (string) $answer, isset($retryAfter[1]) ? (int) $retryAfter[1] : null];
}
