// A receiver with nothing but Go: checks webhook-signature (Standard Webhooks), reads batches, drops repetitions.
//
//	SECRET=... PORT=3000 go run examples/receivers/receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	tolerance    = 5 * time.Minute
	bodyBytesMax = 11_000_000
)

type event struct {
	ID    string          `json:"id"`
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// payload is one event or, for a subscription with batchSettings, several.
type payload struct {
	event
	Batch  bool    `json:"batch"`
	Events []event `json:"events"`
}

type receiver struct {
	key     []byte
	inbox   string
	mu      sync.Mutex
	handled map[string]bool // Ids of what is done. In earnest: a unique column, written in the transaction of your work.
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	// The bytes as they came: parsed and printed again they would not match the signature.
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, bodyBytesMax))
	if err != nil {
		http.Error(w, "Too large", http.StatusRequestEntityTooLarge)
		return
	}
	if !r.isGenuine(request.Header, body) {
		http.Error(w, "Invalid signature", http.StatusUnauthorized)
		return
	}
	if err := r.handle(body, request.Header.Get("webhook-id")); err != nil {
		log.Printf("Not done: %v", err)
		http.Error(w, "Not done, try again", http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, "Event processed successfully")
}

// isGenuine is true for a request that was signed with the secret, within the last minutes. A header may hold anything.
func (r *receiver) isGenuine(header http.Header, body []byte) bool {
	timestamp := header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	if age := time.Since(time.Unix(seconds, 0)); age >= tolerance || age <= -tolerance {
		return false
	}
	mac := hmac.New(sha256.New, r.key)
	fmt.Fprintf(mac, "%s.%s.", header.Get("webhook-id"), timestamp)
	mac.Write(body)
	expected := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	// While a secret is being rotated there are two, separated by a space.
	for _, signature := range strings.Split(header.Get("webhook-signature"), " ") {
		if hmac.Equal([]byte(signature), expected) {
			return true
		}
	}
	return false
}

// handle does the work of every event that is not done yet. What fails is tried again with the next attempt.
func (r *receiver) handle(body []byte, deliveryID string) error {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	if !p.Batch {
		return r.handleOnce(p.event, deliveryID)
	}
	for _, e := range p.Events {
		if err := r.handleOnce(e, e.ID); err != nil {
			return err
		}
	}
	return nil
}

func (r *receiver) handleOnce(e event, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handled[id] {
		return nil
	}
	if err := r.work(e); err != nil {
		return err
	}
	// Not before the work: an id kept by work that failed would make its repetition look done.
	r.handled[id] = true
	return nil
}

// work is yours: here a line on the terminal, or in the file INBOX.
func (r *receiver) work(e event) error {
	if r.inbox == "" {
		_, err := fmt.Printf("Received %s %s\n", e.Event, e.ID)
		return err
	}
	file, err := os.OpenFile(r.inbox, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintf(file, "Received %s %s\n", e.Event, e.ID)
	return err
}

func keyOf(secret string) ([]byte, error) {
	if strings.HasPrefix(secret, "whsec_") {
		return base64.RawStdEncoding.DecodeString(strings.TrimRight(secret[len("whsec_"):], "="))
	}
	return []byte(secret), nil
}

func main() {
	key, err := keyOf(os.Getenv("SECRET"))
	if err != nil || len(key) == 0 {
		log.Fatal("Set SECRET to the secret of your subscription.")
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "3000"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Listening on http://%s\n", listener.Addr())
	r := &receiver{key: key, inbox: os.Getenv("INBOX"), handled: map[string]bool{}}
	log.Fatal(http.Serve(listener, r))
}
