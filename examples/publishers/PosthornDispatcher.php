<?php
// A dispatcher for Ledgerly that publishes to Posthorn instead of sending itself. In config/ledgerly.php:
//   'webhook_dispatcher' => \App\Integrations\PosthornDispatcher::class,

declare(strict_types=1);

namespace App\Integrations;

require_once __DIR__ . '/publish.php';

use Ledgerly\Core\Contracts\WebhookDispatcher;

class PosthornDispatcher implements WebhookDispatcher
{
    public function dispatch(array $payload, string $event): void
    {
        // An entry is written once, so its own id makes the publish safe to repeat.
        \publishEvent($event, $payload['data'], $payload['data']['id']);
    }
}
