type QueueHandler = (batch: MessageBatch, env: Env, context: ExecutionContext) => Promise<void>

const served = new WeakMap<QueueHandler, QueueHandler>()

/** A queue handler that drops hints sent before a time: their events went with the stores of an earlier test file. */
export function servedFrom(sinceMs: number, handler: QueueHandler): QueueHandler {
  const inner = served.get(handler) ?? handler
  const filtered: QueueHandler = async (batch, bindings, context) => {
    const isEarlier = (message: Message) => message.timestamp.getTime() < sinceMs
    for (const message of batch.messages) if (isEarlier(message)) message.ack()
    const messages = batch.messages.filter((message) => !isEarlier(message))
    if (messages.length > 0) await inner(viewOf(batch, messages), bindings, context)
  }
  served.set(filtered, inner)
  return filtered
}

/** A batch with some of its messages. */
function viewOf(batch: MessageBatch, messages: readonly Message[]): MessageBatch {
  return {
    queue: batch.queue,
    metadata: batch.metadata,
    messages,
    ackAll: () => batch.ackAll(),
    retryAll: (options) => batch.retryAll(options),
  }
}
