package promquery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// serve answers every query with the result; asked is the form of the last question.
func serve(t *testing.T, result string) (url string, asked *atomic.Value, questions *atomic.Int32) {
	t.Helper()

	asked, questions = &atomic.Value{}, &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		questions.Add(1)
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked.Store(r.Form.Get("query"))
		fmt.Fprint(w, result)
	}))
	t.Cleanup(server.Close)

	return server.URL, asked, questions
}

func vectorOf(values ...string) string {
	type element struct {
		Metric map[string]string `json:"metric"`
		Value  [2]any            `json:"value"`
	}
	result := []element{}
	for i, v := range values {
		result = append(result, element{map[string]string{"pod": fmt.Sprint(i)}, [2]any{1700000000, v}})
	}
	data, _ := json.Marshal(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": result}})

	return string(data)
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()

	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}

	return c
}

func TestNumber(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		reason, answer string
		want           float64
		err            error
		says           string
	}{
		"One":     {reason: "One element is a number.", answer: vectorOf("2.5"), want: 2.5},
		"Scalar":  {reason: "So is a scalar.", answer: `{"status":"success","data":{"resultType":"scalar","result":[1700000000,"7"]}}`, want: 7},
		"Empty":   {reason: "Nothing is not zero.", answer: vectorOf(), err: ErrNoData},
		"Several": {reason: "Which of two is meant is not guessed.", answer: vectorOf("1", "2"), err: ErrNotOne},
		"NaN":     {reason: "What is no number says nothing.", answer: vectorOf("NaN"), err: ErrNoData},
		"Inf":     {reason: "Nor does what has no end.", answer: vectorOf("+Inf"), err: ErrNoData},
		"Matrix":  {reason: "Another kind of answer is none.", answer: `{"status":"success","data":{"resultType":"matrix","result":[]}}`, says: "unexpected answer"},
		"Error":   {reason: "What Prometheus objects to is told.", answer: `{"status":"error","errorType":"execution","error":"too many samples"}`, says: "too many samples"},
		"Garbage": {reason: "What is no answer is not taken for one.", answer: `<html>`, says: "ask Prometheus"},
		"TooMany": {reason: "More elements than can be told apart are refused.", answer: vectorOf(make([]string, maxElements+1)...), says: ""},
		"TooLong": {reason: "An answer without an end is not read to its end.", answer: `{"status":"` + strings.Repeat("x", maxAnswer) + `"}`, says: "longer than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			url, asked, _ := serve(t, c.answer)
			got, err := newClient(t, Options{URL: url}).Number(t.Context(), "acme", "sum(up)")

			if failed := c.err != nil || c.says != "" || name == "TooMany"; failed != (err != nil) || got != c.want {
				t.Fatalf("%s\ngot %v, %v", c.reason, got, err)
			}
			if c.err != nil && !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s\ngot %v", c.reason, err)
			}
			if d := cmp.Diff(`sum(up{namespace="acme"})`, asked.Load()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestNothingIsAskedOfARefusedQuery: what cannot be confined never leaves.
func TestNothingIsAskedOfARefusedQuery(t *testing.T) {
	t.Parallel()

	url, _, questions := serve(t, vectorOf("1"))
	c := newClient(t, Options{URL: url})
	if _, err := c.Vector(t.Context(), "acme", `up{namespace="other"}`); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	if n := questions.Load(); n != 0 {
		t.Errorf("%d questions were asked", n)
	}
}

// TestEqualQuestionsShareAnAnswer: within the time for which it is fresh, and never between two tenants.
func TestEqualQuestionsShareAnAnswer(t *testing.T) {
	t.Parallel()

	var clock atomic.Int64
	now := func() time.Time { return time.Unix(clock.Load(), 0) }
	url, _, questions := serve(t, vectorOf("1"))
	c := newClient(t, Options{URL: url, Fresh: 15 * time.Second, Now: now})
	ask := func(namespace string, times int32) {
		t.Helper()
		if _, err := c.Vector(t.Context(), namespace, "up"); err != nil {
			t.Fatal(err)
		}
		if n := questions.Load(); n != times {
			t.Errorf("%d questions were asked, want %d", n, times)
		}
	}

	ask("acme", 1)
	ask("acme", 1)
	ask("other", 2)
	clock.Add(14)
	ask("acme", 2)
	clock.Add(1)
	ask("acme", 3)
}

// TestManyAtOnce: those who ask at the same time wait for one answer, and one who goes away takes nobody along.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()

	release, questions := make(chan struct{}), atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		questions.Add(1)
		select {
		case <-release:
			fmt.Fprint(w, vectorOf("1"))
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	c := newClient(t, Options{URL: server.URL, Fresh: time.Minute})

	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Number(t.Context(), "acme", "up"); err != nil {
				t.Error(err)
			}
		})
	}
	gone, leave := context.WithCancel(t.Context())
	wg.Go(func() {
		if _, err := c.Number(gone, "hasty", "up"); err == nil {
			t.Error("who has gone away got an answer")
		}
	})
	for questions.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	leave()
	close(release)
	wg.Wait()
	if _, err := c.Number(t.Context(), "hasty", "up"); err != nil {
		t.Errorf("after one who asked has gone away: %v", err)
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}

		return path
	}
	token, pair := file("token", "s3cret\n"), file("pair", "dogker:pass:word\n")

	for name, c := range map[string]struct {
		reason      string
		credentials Credentials
		want, says  string
	}{
		"None":        {reason: "Nothing is sent unasked."},
		"Token":       {reason: "A token is a bearer's.", credentials: Credentials{BearerTokenFile: token}, want: "Bearer s3cret"},
		"Pair":        {reason: "A password may have colons.", credentials: Credentials{BasicAuthFile: pair}, want: "Basic ZG9na2VyOnBhc3M6d29yZA=="},
		"Both":        {reason: "Which of two counts is not guessed.", credentials: Credentials{BearerTokenFile: token, BasicAuthFile: pair}, says: "not both"},
		"NoFile":      {reason: "A file that is not there is told of at the start.", credentials: Credentials{BearerTokenFile: filepath.Join(dir, "none")}, says: "no such file"},
		"NoPassword":  {reason: "A name alone is no pair.", credentials: Credentials{BasicAuthFile: token}, says: "NAME:PASSWORD"},
		"TwoLines":    {reason: "A header has one line.", credentials: Credentials{BearerTokenFile: file("lines", "a\nb")}, says: "one line"},
		"NoAuthority": {reason: "A file without a certificate trusts nobody.", credentials: Credentials{CAFile: token}, says: "no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var got atomic.Value
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got.Store(r.Header.Get("Authorization"))
				fmt.Fprint(w, vectorOf("1"))
			}))
			defer server.Close()

			transport, err := Transport(c.credentials)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("%s\n%v", c.reason, err)
				}

				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := newClient(t, Options{URL: server.URL, Transport: transport}).Number(t.Context(), "acme", "up"); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got.Load()); d != "" {
				t.Errorf("%s\n%s", c.reason, d)
			}
		})
	}
}

// TestRedirectsAreNotFollowed: a credential goes nowhere else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()

	elsewhere, _, questions := serve(t, vectorOf("1"))
	server := httptest.NewServer(http.RedirectHandler(elsewhere, http.StatusTemporaryRedirect))
	defer server.Close()

	if _, err := newClient(t, Options{URL: server.URL}).Number(t.Context(), "acme", "up"); err == nil || questions.Load() != 0 {
		t.Errorf("%v, and %d questions elsewhere", err, questions.Load())
	}
}
