# A receiver as a Rack application, as in Rails or Sinatra: checks webhook-signature (Standard Webhooks), reads batches,
# drops repetitions.
#   gem install rack puma
#   SECRET=... puma --bind tcp://127.0.0.1:3000 examples/receivers/rack.ru
require "json"
require "openssl"

class Receiver
  TOLERANCE_SECONDS = 300
  BODY_BYTES_MAX = 11_000_000

  def initialize(secret, inbox)
    @key = secret.start_with?("whsec_") ? secret.delete_prefix("whsec_").unpack1("m") : secret
    @inbox = inbox
    # Ids of what is done. In earnest: a unique column, written in the transaction of your work.
    @handled = {}
    @one_at_a_time = Mutex.new
  end

  def call(env)
    # The bytes as they came: parsed and printed again they would not match the signature.
    body = env["rack.input"]&.read(BODY_BYTES_MAX + 1).to_s.b
    return answer(413, "Too large") if body.bytesize > BODY_BYTES_MAX
    return answer(401, "Invalid signature") unless genuine?(env, body)

    handle(JSON.parse(body), env["HTTP_WEBHOOK_ID"])
    answer(200, "Event processed successfully")
  rescue StandardError => e
    warn "Not done: #{e.message}"
    answer(500, "Not done, try again")
  end

  private

  # True for a request that was signed with the secret, within the last minutes. A header may hold anything, so all are
  # read as bytes.
  def genuine?(env, body)
    id = env["HTTP_WEBHOOK_ID"].to_s.b
    timestamp = env["HTTP_WEBHOOK_TIMESTAMP"].to_s.b
    return false unless timestamp.match?(/\A[0-9]{1,15}\z/)
    return false if (Time.now.to_i - timestamp.to_i).abs >= TOLERANCE_SECONDS

    expected = "v1," + [OpenSSL::HMAC.digest("SHA256", @key, "#{id}.#{timestamp}.".b + body)].pack("m0")
    # While a secret is being rotated there are two, separated by a space.
    signatures = env["HTTP_WEBHOOK_SIGNATURE"].to_s.b.split(" ")
    signatures.any? { |signature| OpenSSL.secure_compare(signature, expected) }
  end

  # Does the work of every event that is not done yet. What fails is tried again with the next attempt.
  def handle(payload, delivery_id)
    # A subscription with batchSettings gets several events in one request.
    return handle_once(payload, delivery_id) unless payload["batch"] == true

    payload["events"].each { |event| handle_once(event, event["id"]) }
  end

  def handle_once(event, id)
    @one_at_a_time.synchronize do
      next if @handled.key?(id)

      work(event)
      # Not before the work: an id kept by work that failed would make its repetition look done.
      @handled[id] = true
    end
  end

  # Your work: here a line on the terminal, or in the file INBOX. It raises when it could not be done.
  def work(event)
    line = "Received #{event["event"]} #{event["id"]}\n"
    @inbox ? File.write(@inbox, line, mode: "a") : $stdout.write(line)
  end

  def answer(status, text)
    [status, { "content-type" => "text/plain" }, [text]]
  end
end

run Receiver.new(ENV.fetch("SECRET"), ENV["INBOX"])
