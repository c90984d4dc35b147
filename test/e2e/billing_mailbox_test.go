//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// noticeSecret signs notices. It must be nowhere but in its file.
const noticeSecret = "e2e-notice-secret-8d51c0be"

// mailbox receives the notices of a cell, as an operator's own program would, and takes none that is not signed.
type mailbox struct {
	http *httptest.Server

	mu   sync.Mutex
	mail []string
}

func newMailbox() *mailbox {
	m := &mailbox{}
	m.http = httptest.NewServer(http.HandlerFunc(m.receive))

	return m
}

func (m *mailbox) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !signed(r.Header.Get("Dogker-Signature"), string(body)) {
		w.WriteHeader(http.StatusUnauthorized)

		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mail = append(m.mail, string(body))
}

// signed checks a signature as the guide tells operators to: t=TIME,v1=HMAC-SHA256 of "TIME.BODY", and lately.
func signed(signature, body string) bool {
	at, sums, ok := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
	sent, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || time.Since(time.Unix(sent, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, []byte(noticeSecret))
	mac.Write([]byte(at + "." + body))

	return slices.Contains(strings.Split(sums, ","), "v1="+hex.EncodeToString(mac.Sum(nil)))
}

// about are the notices that hold all the words, in the order in which they came.
func (m *mailbox) about(words ...string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()

	return slices.DeleteFunc(slices.Clone(m.mail), func(body string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(body, word) })
	})
}
