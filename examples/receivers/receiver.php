<?php
// A receiver with nothing but PHP 8: checks webhook-signature (Standard Webhooks), reads batches, drops repetitions.
//   SECRET=... php -S 127.0.0.1:3000 examples/receivers/receiver.php

declare(strict_types=1);

const TOLERANCE_SECONDS = 300;

// Whatever PHP would only warn of is an exception here: work that failed must not look done.
set_error_handler(fn(int $level, string $message) => throw new ErrorException($message));

/** True for a request that was signed with the secret, within the last minutes. A header may hold anything. */
function isGenuine(string $body, string $secret): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $signatures = $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '';
    if (!preg_match('/^[0-9]{1,15}$/D', $timestamp) || abs(time() - (int) $timestamp) >= TOLERANCE_SECONDS) {
        return false;
    }
    $key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6)) : $secret;
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // While a secret is being rotated there are two, separated by a space.
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

/** Does the work of every event that is not done yet. What fails is tried again with the next attempt. */
function handle(array $payload, string $deliveryId): void
{
    // A subscription with batchSettings gets several events in one request.
    $isBatch = ($payload['batch'] ?? false) === true;
    foreach ($isBatch ? $payload['events'] : [$payload] as $event) {
        handleOnce($event, $isBatch ? $event['id'] : $deliveryId);
    }
}

/** Ids of what is done are files here. In earnest: a unique column, written in the transaction of your work. */
function handleOnce(array $event, string $id): void
{
    $folder = getenv('HANDLED') ?: sys_get_temp_dir() . '/posthorn-handled';
    if (!is_dir($folder)) {
        mkdir($folder, 0700, true);
    }
    $lock = fopen("$folder/lock", 'c');
    flock($lock, LOCK_EX);
    $done = $folder . '/' . hash('sha256', $id);
    if (!is_file($done)) {
        work($event);
        // Not before the work: an id kept by work that failed would make its repetition look done.
        touch($done);
    }
    fclose($lock);
}

/** Your work: here a line on the terminal, or in the file INBOX. It throws when it could not be done. */
function work(array $event): void
{
    $inbox = getenv('INBOX') ?: 'php://stdout';
    file_put_contents($inbox, "Received {$event['event']} {$event['id']}\n", FILE_APPEND);
}

function answer(int $status, string $text): void
{
    http_response_code($status);
    header('Content-Type: text/plain');
    echo $text;
}

$secret = getenv('SECRET') ?: throw new RuntimeException('Set SECRET to the secret of your subscription.');
// The bytes as they came: parsed and printed again they would not match the signature.
$body = file_get_contents('php://input');
if (!isGenuine($body, $secret)) {
    answer(401, 'Invalid signature');
    return;
}
try {
    handle(json_decode($body, true, 512, JSON_THROW_ON_ERROR), $_SERVER['HTTP_WEBHOOK_ID']);
    answer(200, 'Event processed successfully');
} catch (Throwable $error) {
    error_log("Not done: {$error->getMessage()}");
    answer(500, 'Not done, try again');
}
