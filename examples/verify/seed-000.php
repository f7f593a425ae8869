<?php
// Seed 000 in its own words: "Extract timestamp. Concatenate: timestamp.payload. Recompute signature using a shared
// secret. Compare using constant-time equality." Its snippet compares with the whole header, `t=timestamp,v1=signature`,
// which no signature equals; so this follows the text. While a secret changes, the header holds a v1 for each.
function verifyLedgerlySignature(string $payload, string $header, string $secret): bool {
    $timestamp = '';
    $signatures = [];
    foreach (explode(',', $header) as $item) {
        [$name, $value] = array_pad(explode('=', $item, 2), 2, '');
        if ($name === 't') $timestamp = $value;
        if ($name === 'v1') $signatures[] = $value;
    }

    $expected = hash_hmac('sha256', $timestamp.'.'.$payload, $secret);

    foreach ($signatures as $signature) {
        if (hash_equals($expected, $signature)) return true;
    }
    return false;
}
