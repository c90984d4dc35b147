//go:build conformance

package conformance

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/fake/forge"
	"github.com/dogker/dogker/internal/git/gittest"
)

const (
	hookToken  = "TOPsecret-of-the-webhook"
	forgeToken = "TOPsecret-of-the-forge"
)

// TestGitSyncWebhook: what a Git server sends is a hint, taken from who knows the token and from nobody else; and the Git
// server is told what became of it.
func TestGitSyncWebhook(t *testing.T) {
	s := newSyncServer(t)
	git := forge.New(gitopsv1.StatusGitea, forgeToken)
	api := httptest.NewServer(git)
	t.Cleanup(api.Close)

	p := s.place(t)
	p.secret("hook", map[string]string{"token": hookToken + "\n"})
	p.secret("forge", map[string]string{"token": forgeToken})

	// A forge has repositories of owners.
	repo := gittest.NewRepo(t, s.git.Root, "acme/web.git")
	files := gittest.Files{"a.yaml": configMap("a", "level", "1")}
	git.Add("acme/web", repo.Push(files))

	g := p.sync("web", files, func(sync *gitopsv1.GitSync) {
		sync.Spec.URL = s.git.At("acme/web.git")
		sync.Spec.Webhook = &gitopsv1.GitWebhook{Type: gitopsv1.WebhookGitHub, SecretRef: gitopsv1.SecretReference{Name: "hook"}}
		sync.Spec.CommitStatus = &gitopsv1.CommitStatus{
			Provider: gitopsv1.StatusGitea, Address: api.URL, SecretRef: gitopsv1.SecretReference{Name: "forge"},
		}
	})
	g.repo = repo
	g.applied(repo.Head())

	h := &hook{t: t, sync: g, forge: git, path: g.get().Status.WebhookPath}
	t.Run("Strangers", h.strangers)
	t.Run("Pushed", h.pushed)
	t.Run("Flood", h.flood)
	t.Run("Suspended", h.suspended)
	t.Run("NewToken", h.newToken)

	if logs := s.logs.String(); strings.Contains(logs, "TOPsecret") || strings.Contains(logs, h.path) {
		t.Error("a token or a path is logged")
	}
}

// hook is the webhook of a sync.
type hook struct {
	t     *testing.T
	sync  *repoSync
	forge *forge.Forge
	path  string
}

// pushBody is what a push looks like, as far as anybody reads it.
const pushBody = `{"ref": "refs/heads/main"}`

// post sends a body, signed with a token, and returns how it was answered. A client of its own stands for a Git server
// that knows nothing of us: no certificate, no token of Kubernetes.
func (h *hook) post(path, token, body string, headers ...string) int {
	h.t.Helper()

	mac := hmac.New(sha256.New, []byte(token))
	_, _ = io.WriteString(mac, body)

	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "https://"+h.sync.listen+path, strings.NewReader(body))
	if err != nil {
		h.t.Error(err)

		return 0
	}
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}

	answer, err := outsider.Do(r)
	if err != nil {
		h.t.Error(err)

		return 0
	}
	defer answer.Body.Close()

	if text, _ := io.ReadAll(answer.Body); len(text) != 0 {
		h.t.Errorf("a sender is told %q", text)
	}

	return answer.StatusCode
}

var outsider = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
	TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, MaxConnsPerHost: 20,
}}

func (h *hook) requested() string { return h.sync.get().Annotations[gitopsv1.AnnotationRequestedAt] }

// strangers: who does not know the token learns nothing and does nothing.
func (h *hook) strangers(t *testing.T) {
	before := h.requested()
	nowhere := "/hook/" + strings.Repeat("0", 64)

	for name, got := range map[string]int{
		"WrongToken": h.post(h.path, "another token", pushBody), "Nowhere": h.post(nowhere, hookToken, pushBody), "Short": h.post("/hook/00", hookToken, pushBody),
		"Below": h.post(h.path+"/x", hookToken, pushBody), "Ping": h.post(h.path, "another token", pushBody, "X-GitHub-Event", "ping"),
	} {
		if got != http.StatusNotFound {
			t.Errorf("%s is answered by %d", name, got)
		}
	}

	if got := h.post(h.path, hookToken, strings.Repeat("a", 2<<20)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of two MiB is answered by %d", got)
	}
	if got, err := h.sync.server.get(h.path); err != nil || got != http.StatusMethodNotAllowed {
		t.Errorf("a look at it is answered by %d, %v", got, err)
	}
	if got := h.post(h.path, hookToken, pushBody, "X-GitHub-Event", "ping"); got != http.StatusOK {
		t.Errorf("a ping is answered by %d", got)
	}
	time.Sleep(time.Second)
	if got := h.requested(); got != before {
		t.Errorf("one of them was a hint: %q", got)
	}
}

// pushed: a push is applied within seconds, and the forge is told.
func (h *hook) pushed(t *testing.T) {
	repo := h.sync.repo
	commit := repo.Commit(repo.TreeOf(gittest.Files{"a.yaml": configMap("a", "level", "2")}), "Change what runs", repo.Head())
	h.forge.Add("acme/web", commit)
	repo.Ref("refs/heads/main", commit)

	began := time.Now()
	if got := h.post(h.path, hookToken, pushBody, "X-GitHub-Event", "push"); got != http.StatusOK {
		t.Fatalf("the hook is answered by %d", got)
	}
	await(t, "the push is applied", func() bool { return h.sync.data("a")["level"] == "2" })
	applied := time.Since(began)
	h.sync.applied(commit)
	t.Logf("from the webhook to applied: %s, to Ready: %s", applied.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))

	want := forge.Status{Context: "dogker/" + h.sync.namespace + "/web", State: "success", Description: "Applied"}
	await(t, "the forge is told", func() bool {
		said := h.forge.Statuses(commit)

		return len(said) > 0 && said[len(said)-1] == want
	})
	if said := h.forge.Statuses(commit); len(said) > 2 {
		t.Errorf("the forge was told %v", said)
	}
}

// flood: however much comes, it is written at most once in two seconds, and the last of it counts.
func (h *hook) flood(t *testing.T) {
	const lasts = 5 * time.Second

	var (
		mu     sync.Mutex
		writes = map[string]bool{}
		done   = make(chan struct{})

		senders, watcher sync.WaitGroup
	)

	before := h.requested()

	watcher.Go(func() {
		w, err := h.sync.api().Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=web"})
		if err != nil {
			t.Error(err)

			return
		}
		defer w.Stop()

		for {
			select {
			case e := <-w.ResultChan():
				if o, err := meta.Accessor(e.Object); err == nil {
					mu.Lock()
					writes[o.GetAnnotations()[gitopsv1.AnnotationRequestedAt]] = true
					mu.Unlock()
				}
			case <-done:
				return
			}
		}
	})

	sent := make(chan int, 1<<16)
	end := time.Now().Add(lasts)

	for range 10 {
		senders.Go(func() {
			for time.Now().Before(end) {
				sent <- h.post(h.path, hookToken, pushBody)
			}
		})
	}
	senders.Wait()
	time.Sleep(3 * time.Second) // The last one is written two seconds after the one before.
	close(done)
	watcher.Wait()
	close(sent)

	codes := map[int]int{}
	for code := range sent {
		codes[code]++
	}

	delete(writes, before)
	t.Logf("%v hooks in %s came to %d writes", codes, lasts, len(writes))

	if n := len(writes); n < 2 || n > 5 || len(codes) != 1 || codes[http.StatusOK] < 50 {
		t.Errorf("hooks %v came to %d writes: %v", codes, n, writes)
	}

	last, err := time.Parse(time.RFC3339Nano, h.requested())
	if err != nil || last.Before(end.Add(-2*time.Second)) {
		t.Errorf("the flood ended at %s, and the last hint is of %s (%v)", end, last, err)
	}
}

// suspended: a sync that rests is told nothing, and its sender that all is well.
func (h *hook) suspended(t *testing.T) {
	h.sync.change(map[string]any{"suspend": true})
	defer h.sync.change(map[string]any{"suspend": false})

	before := h.requested()

	// The receiver reads what its cache has, a moment later than the API.
	time.Sleep(time.Second)
	if got := h.post(h.path, hookToken, pushBody); got != http.StatusOK {
		t.Errorf("the hook is answered by %d", got)
	}
	time.Sleep(time.Second)
	if got := h.requested(); got != before {
		t.Errorf("it was told %q", got)
	}
}

// newToken: with another token the path is another, and the one before leads nowhere.
func (h *hook) newToken(t *testing.T) {
	const other = "TOPsecret-that-came-later"

	_, err := h.sync.client(t).CoreV1().Secrets(h.sync.namespace).Patch(t.Context(), "hook", types.MergePatchType,
		[]byte(`{"stringData": {"token": "`+other+`"}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}

	await(t, "the old path leads nowhere", func() bool { return h.post(h.path, hookToken, pushBody) == http.StatusNotFound })
	h.sync.ask()
	await(t, "there is another path", func() bool { return h.sync.get().Status.WebhookPath != h.path })
	path := h.sync.get().Status.WebhookPath
	await(t, "it is a webhook", func() bool { return h.post(path, other, pushBody) == http.StatusOK })
}
