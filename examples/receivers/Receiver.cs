// A receiver with .NET and Newtonsoft.Json: checks webhook-signature (Standard Webhooks), reads batches, drops
// repetitions.
//   dotnet new console && dotnet add package Newtonsoft.Json, this file instead of Program.cs, then
//   SECRET=... PORT=3000 dotnet run
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using Newtonsoft.Json.Linq;

public class Receiver
{
    const int ToleranceSeconds = 300;
    const int BodyBytesMax = 11000000;

    readonly byte[] key;
    readonly string inbox;
    /// <summary>Ids of what is done. In earnest: a unique column, written in the transaction of your work.</summary>
    readonly HashSet<string> handled = new HashSet<string>();

    Receiver(string secret, string inbox)
    {
        key = secret.StartsWith("whsec_", StringComparison.Ordinal)
            ? Convert.FromBase64String(secret.Substring("whsec_".Length))
            : Encoding.UTF8.GetBytes(secret);
        this.inbox = inbox;
    }

    void Receive(HttpListenerContext context)
    {
        try
        {
            // The bytes as they came: parsed and printed again they would not match the signature.
            byte[] body = ReadBody(context.Request.InputStream);
            if (body == null) Answer(context, 413, "Too large");
            else if (!IsGenuine(context.Request, body)) Answer(context, 401, "Invalid signature");
            else
            {
                Handle(body, context.Request.Headers["webhook-id"]);
                Answer(context, 200, "Event processed successfully");
            }
        }
        catch (Exception e)
        {
            Console.Error.WriteLine("Not done: " + e.Message);
            Answer(context, 500, "Not done, try again");
        }
    }

    /// <summary>True for a request that was signed with the secret, within the last minutes. A header may hold anything.</summary>
    bool IsGenuine(HttpListenerRequest request, byte[] body)
    {
        string id = request.Headers["webhook-id"] ?? "";
        string timestamp = request.Headers["webhook-timestamp"] ?? "";
        string signatures = request.Headers["webhook-signature"] ?? "";
        if (!Regex.IsMatch(timestamp, @"\A[0-9]{1,15}\z")) return false;
        long age = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(timestamp);
        if (Math.Abs(age) >= ToleranceSeconds) return false;
        byte[] content = Encoding.UTF8.GetBytes(id + "." + timestamp + ".").Concat(body).ToArray();
        string expected;
        using (var hmac = new HMACSHA256(key)) expected = "v1," + Convert.ToBase64String(hmac.ComputeHash(content));
        // While a secret is being rotated there are two, separated by a space.
        return signatures.Split(' ').Any(signature => IsEqual(signature, expected));
    }

    /// <summary>Compares in a time that does not tell how much is equal, as CryptographicOperations.FixedTimeEquals does.</summary>
    static bool IsEqual(string left, string right)
    {
        int difference = left.Length ^ right.Length;
        for (int i = 0; i < Math.Min(left.Length, right.Length); i++) difference |= left[i] ^ right[i];
        return difference == 0;
    }

    /// <summary>Does the work of every event that is not done yet. What fails is tried again with the next attempt.</summary>
    void Handle(byte[] body, string deliveryId)
    {
        JObject payload = JObject.Parse(Encoding.UTF8.GetString(body));
        // A subscription with batchSettings gets several events in one request.
        bool isBatch = (bool?)payload["batch"] == true;
        foreach (JToken each in isBatch ? (IEnumerable<JToken>)payload["events"] : new JToken[] { payload })
        {
            HandleOnce((JObject)each, isBatch ? (string)each["id"] : deliveryId);
        }
    }

    void HandleOnce(JObject payload, string id)
    {
        lock (handled)
        {
            if (handled.Contains(id)) return;
            Work(payload);
            // Not before the work: an id kept by work that failed would make its repetition look done.
            handled.Add(id);
        }
    }

    /// <summary>Your work: here a line on the terminal, or in the file INBOX. It throws when it could not be done.</summary>
    void Work(JObject payload)
    {
        string line = "Received " + payload["event"] + " " + payload["id"] + "\n";
        if (string.IsNullOrEmpty(inbox)) Console.Write(line);
        else File.AppendAllText(inbox, line);
    }

    static byte[] ReadBody(Stream stream)
    {
        var body = new MemoryStream();
        var chunk = new byte[81920];
        for (int length; (length = stream.Read(chunk, 0, chunk.Length)) > 0;)
        {
            body.Write(chunk, 0, length);
            if (body.Length > BodyBytesMax) return null;
        }
        return body.ToArray();
    }

    static void Answer(HttpListenerContext context, int status, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain";
        context.Response.Close(bytes, true);
    }

    public static void Main()
    {
        string secret = Environment.GetEnvironmentVariable("SECRET");
        if (string.IsNullOrEmpty(secret)) throw new InvalidOperationException("Set SECRET to your subscription's secret.");
        var receiver = new Receiver(secret, Environment.GetEnvironmentVariable("INBOX"));
        var listener = new HttpListener();
        string url = "http://127.0.0.1:" + (Environment.GetEnvironmentVariable("PORT") ?? "3000");
        listener.Prefixes.Add(url + "/");
        listener.Start();
        Console.WriteLine("Listening on " + url);
        while (true)
        {
            HttpListenerContext context = listener.GetContext();
            ThreadPool.QueueUserWorkItem(_ => receiver.Receive(context));
        }
    }
}
