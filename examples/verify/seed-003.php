<?php
// What seed 003 says of its classes, in code: WebhookSignature::sign returns "sha256={hash}" of the payload, and
// WebhookVerifier::verify compares a received signature with it.
class WebhookSignature
{
    public static function sign(string $payload, string $secret): string
    {
        return 'sha256=' . hash_hmac('sha256', $payload, $secret);
    }
}

class WebhookVerifier
{
    public function verify(string $body, string $signature, string $secret): bool
    {
        return hash_equals(WebhookSignature::sign($body, $secret), $signature);
    }
}
