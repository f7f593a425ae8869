// A receiver with Java 11 or later and Gson: checks webhook-signature (Standard Webhooks), reads batches, drops
// repetitions.
//   SECRET=... PORT=3000 java -cp gson.jar examples/receivers/Receiver.java

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    private static final long TOLERANCE_SECONDS = 300;
    private static final int BODY_BYTES_MAX = 11_000_000;

    private final SecretKeySpec key;
    private final String inbox;
    /** Ids of what is done. In earnest: a unique column, written in the transaction of your work. */
    private final Set<String> handled = new HashSet<>();

    Receiver(String secret, String inbox) {
        byte[] bytes = secret.startsWith("whsec_")
            ? Base64.getDecoder().decode(secret.substring("whsec_".length()))
            : secret.getBytes(StandardCharsets.UTF_8);
        this.key = new SecretKeySpec(bytes, "HmacSHA256");
        this.inbox = inbox;
    }

    private void receive(HttpExchange exchange) throws IOException {
        // The bytes as they came: parsed and printed again they would not match the signature.
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) {
            answer(exchange, 413, "Too large");
            return;
        }
        try {
            if (!isGenuine(exchange.getRequestHeaders(), body)) {
                answer(exchange, 401, "Invalid signature");
                return;
            }
            handle(body, exchange.getRequestHeaders().getFirst("webhook-id"));
        } catch (Exception e) {
            System.err.println("Not done: " + e);
            answer(exchange, 500, "Not done, try again");
            return;
        }
        answer(exchange, 200, "Event processed successfully");
    }

    /** True for a request that was signed with the secret, within the last minutes. A header may hold anything. */
    private boolean isGenuine(Headers headers, byte[] body) throws GeneralSecurityException {
        String id = headers.getFirst("webhook-id");
        String timestamp = headers.getFirst("webhook-timestamp");
        String signatures = headers.getFirst("webhook-signature");
        if (id == null || timestamp == null || signatures == null || !timestamp.matches("[0-9]{1,15}")) return false;
        long age = Instant.now().getEpochSecond() - Long.parseLong(timestamp);
        if (Math.abs(age) >= TOLERANCE_SECONDS) return false;
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(key);
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
        // While a secret is being rotated there are two, separated by a space.
        for (String signature : signatures.split(" ")) {
            if (MessageDigest.isEqual(bytesOf(signature), bytesOf(expected))) return true;
        }
        return false;
    }

    /** Does the work of every event that is not done yet. What fails is tried again with the next attempt. */
    private void handle(byte[] body, String deliveryId) throws IOException {
        JsonObject payload = JsonParser.parseString(new String(body, StandardCharsets.UTF_8)).getAsJsonObject();
        // A subscription with batchSettings gets several events in one request.
        JsonElement batch = payload.get("batch");
        if (batch == null || !batch.getAsBoolean()) {
            handleOnce(payload, deliveryId);
            return;
        }
        JsonArray events = payload.getAsJsonArray("events");
        for (JsonElement each : events) {
            JsonObject event = each.getAsJsonObject();
            handleOnce(event, event.get("id").getAsString());
        }
    }

    private synchronized void handleOnce(JsonObject event, String id) throws IOException {
        if (handled.contains(id)) return;
        work(event);
        // Not before the work: an id kept by work that failed would make its repetition look done.
        handled.add(id);
    }

    /** Your work: here a line on the terminal, or in the file INBOX. It throws when it could not be done. */
    private void work(JsonObject event) throws IOException {
        String line = "Received " + event.get("event").getAsString() + " " + event.get("id").getAsString() + "\n";
        if (inbox == null) System.out.print(line);
        else Files.writeString(Path.of(inbox), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static byte[] bytesOf(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = bytesOf(text);
        exchange.getResponseHeaders().set("Content-Type", "text/plain");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    public static void main(String[] args) throws IOException {
        String secret = System.getenv("SECRET");
        if (secret == null || secret.isEmpty()) throw new IllegalStateException("Set SECRET to your subscription's secret.");
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "3000"));
        Receiver receiver = new Receiver(secret, System.getenv("INBOX"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", receiver::receive);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
        System.out.println("Listening on http://127.0.0.1:" + server.getAddress().getPort());
    }
}
