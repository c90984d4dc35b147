package receiver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/source"
)

const (
	token   = source.Secret("TOPsecret-of-the-sync")
	foreign = source.Secret("TOPsecret-of-a-stranger")
	pushed  = `{"ref": "refs/heads/main", "after": "1f2e"}`
)

// phone is a Directory in memory.
type phone struct {
	syncs map[string]Sync
	err   error
	asked int
	mu    sync.Mutex
}

// Find implements Directory.
func (p *phone) Find(_ context.Context, path string) (Sync, error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.asked++

	if s, ok := p.syncs[path]; ok {
		return s, p.err
	}

	return Sync{Type: gitopsv1.WebhookGitHub, Token: "nobody's"}, p.err
}

// door is a handler with what is behind it.
type door struct {
	*Handler

	phone *phone
	log   bytes.Buffer

	mu   sync.Mutex
	told []types.NamespacedName
	// stopping is true when nobody sees to hints any more.
	stopping bool
}

func pathOf(name string) string { return gitsync.WebhookPath(token, "acme", name, "uid") }

func newDoor(t testing.TB, edits ...func(*Options)) *door {
	t.Helper()

	d := &door{phone: &phone{syncs: map[string]Sync{}}}
	for name, kind := range map[string]gitopsv1.WebhookType{
		"github": gitopsv1.WebhookGitHub, "gitlab": gitopsv1.WebhookGitLab, "gitea": gitopsv1.WebhookGitea, "generic": gitopsv1.WebhookGeneric,
	} {
		d.phone.syncs[pathOf(name)] = Sync{NamespacedName: types.NamespacedName{Namespace: "acme", Name: name}, Type: kind, Token: token}
	}

	rests := d.phone.syncs[pathOf("github")]
	rests.Name, rests.Suspended = "rests", true
	d.phone.syncs[pathOf("rests")] = rests

	o := Options{Log: slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, edit := range edits {
		edit(&o)
	}

	var err error
	if d.Handler, err = New(o, prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}

	d.Open(d.phone, func(key types.NamespacedName) bool {
		d.mu.Lock()
		defer d.mu.Unlock()

		d.told = append(d.told, key)

		return !d.stopping
	})

	t.Cleanup(func() {
		if strings.Contains(d.log.String(), "TOPsecret") || strings.Contains(d.log.String(), gitsync.WebhookPathPrefix) {
			t.Errorf("a token or a path is logged:\n%s", d.log.String())
		}
	})

	return d
}

func (d *door) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)

	return w
}

// post is a request to the path of a GitSync of acme, with headers in pairs.
func post(name, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, pathOf(name), strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}

	return r
}

func sum(h func() hash.Hash, by source.Secret, body string) string {
	mac := hmac.New(h, []byte(by.Reveal()))
	_, _ = io.WriteString(mac, body)

	return hex.EncodeToString(mac.Sum(nil))
}

func sha(by source.Secret, body string) string { return sum(sha256.New, by, body) }

func TestAnswers(t *testing.T) {
	good, wrong := sha(token, pushed), sha(foreign, pushed)
	digest := sha256.Sum256([]byte(pushed))

	for name, tc := range map[string]struct {
		reason  string
		request *http.Request
		status  int
		verdict verdict
	}{
		"GitHub":             {"As GitHub sends it.", post("github", pushed, headerHub, "sha256="+good, "X-GitHub-Event", "push"), 200, accepted},
		"GitHubTag":          {"A tag was made.", post("github", pushed, headerHub, "sha256="+good, "X-GitHub-Event", "create"), 200, accepted},
		"GitHubMerge":        {"Something was merged.", post("github", pushed, headerHub, "sha256="+good, "X-GitHub-Event", "pull_request"), 200, accepted},
		"GitHubPing":         {"It asks whether we are here.", post("github", pushed, headerHub, "sha256="+good, "X-GitHub-Event", "ping"), 200, ignored},
		"GitHubStar":         {"Nothing has moved.", post("github", pushed, headerHub, "sha256="+good, "X-GitHub-Event", "star"), 200, ignored},
		"GitHubNoEvent":      {"Who knows the token may be brief.", post("github", pushed, headerHub, "sha256="+good), 200, accepted},
		"GitHubUpperCase":    {"The same bytes.", post("github", pushed, headerHub, "sha256="+strings.ToUpper(good)), 200, accepted},
		"GitHubWrong":        {"Another's token.", post("github", pushed, headerHub, "sha256="+wrong), 404, forged},
		"GitHubWrongPing":    {"A ping has to be signed as well.", post("github", pushed, headerHub, "sha256="+wrong, "X-GitHub-Event", "ping"), 404, forged},
		"GitHubAbsent":       {"Nothing is shown.", post("github", pushed), 404, forged},
		"GitHubEmpty":        {"Nothing is shown.", post("github", pushed, headerHub, ""), 404, forged},
		"GitHubOnlyLabel":    {"Nothing is shown.", post("github", pushed, headerHub, "sha256="), 404, forged},
		"GitHubTruncated":    {"A part of it proves nothing.", post("github", pushed, headerHub, "sha256="+good[:62]), 404, forged},
		"GitHubOddDigits":    {"No bytes at all.", post("github", pushed, headerHub, "sha256="+good[:63]), 404, forged},
		"GitHubLonger":       {"More than it proves nothing.", post("github", pushed, headerHub, "sha256="+good+"00"), 404, forged},
		"GitHubNoLabel":      {"It is another form.", post("github", pushed, headerHub, good), 404, forged},
		"GitHubOtherLabel":   {"It is no SHA-1.", post("github", pushed, headerHub, "sha1="+good), 404, forged},
		"GitHubOldHeader":    {"SHA-1 is over.", post("github", pushed, "X-Hub-Signature", "sha1="+good), 404, forged},
		"GitHubTwice":        {"Which of them?", post("github", pushed, headerHub, "sha256="+wrong, headerHub, "sha256="+good), 404, forged},
		"GitHubPlainDigest":  {"Everybody can make it.", post("github", pushed, headerHub, "sha256="+hex.EncodeToString(digest[:])), 404, forged},
		"GitHubEmptyKey":     {"Everybody can make it.", post("github", pushed, headerHub, "sha256="+sha("", pushed)), 404, forged},
		"GitHubToken":        {"Only GitLab shows it.", post("github", pushed, headerGitLab, token.Reveal()), 404, forged},
		"GitHubOtherBody":    {"The signature is of the bytes.", post("github", pushed+" ", headerHub, "sha256="+good), 404, forged},
		"GitHubReencoded":    {"The same JSON, other bytes.", post("github", `{"after":"1f2e","ref":"refs/heads/main"}`, headerHub, "sha256="+good), 404, forged},
		"GitHubNoBody":       {"A body that is not there is signed as well.", post("github", "", headerHub, "sha256="+sha(token, "")), 200, accepted},
		"GitHubNoJSON":       {"Nobody reads it.", post("github", "\x00no json", headerHub, "sha256="+sha(token, "\x00no json")), 200, accepted},
		"GitHubPathAsProof":  {"Whoever sees a status knows the path.", post("github", pushed, headerHub, "sha256="+strings.TrimPrefix(pathOf("github"), "/hook/")), 404, forged},
		"GitHubOfAnother":    {"Each signature is for who has the token.", post("gitea", pushed, headerHub, "sha256="+wrong), 404, forged},
		"Gitea":              {"As Gitea sends it.", post("gitea", pushed, headerGitea, good, headerHub, "sha256="+good, "X-Gitea-Event", "push"), 200, accepted},
		"GiteaOwnHeader":     {"As it was sent by old ones.", post("gitea", pushed, headerGitea, good), 200, accepted},
		"GiteaHubHeader":     {"As others forward it.", post("gitea", pushed, headerHub, "sha256="+good), 200, accepted},
		"GiteaIssue":         {"Nothing has moved.", post("gitea", pushed, headerGitea, good, "X-Gitea-Event", "issues"), 200, ignored},
		"GiteaWrong":         {"Another's token.", post("gitea", pushed, headerGitea, wrong), 404, forged},
		"GiteaWrongAndRight": {"Its own header counts.", post("gitea", pushed, headerGitea, wrong, headerHub, "sha256="+good), 404, forged},
		"GiteaLabelled":      {"It is another form.", post("gitea", pushed, headerGitea, "sha256="+good), 404, forged},
		"GiteaTruncated":     {"A part of it proves nothing.", post("gitea", pushed, headerGitea, good[:32]), 404, forged},
		"GiteaAbsent":        {"Nothing is shown.", post("gitea", pushed), 404, forged},
		"GitLab":             {"As GitLab sends it.", post("gitlab", pushed, headerGitLab, token.Reveal(), "X-Gitlab-Event", "Push Hook"), 200, accepted},
		"GitLabTag":          {"A tag was made.", post("gitlab", pushed, headerGitLab, token.Reveal(), "X-Gitlab-Event", "Tag Push Hook"), 200, accepted},
		"GitLabMerge":        {"Something was merged.", post("gitlab", pushed, headerGitLab, token.Reveal(), "X-Gitlab-Event", "Merge Request Hook"), 200, accepted},
		"GitLabSystem":       {"That of a whole GitLab.", post("gitlab", pushed, headerGitLab, token.Reveal(), "X-Gitlab-Event", "System Hook"), 200, accepted},
		"GitLabJob":          {"Nothing has moved.", post("gitlab", pushed, headerGitLab, token.Reveal(), "X-Gitlab-Event", "Job Hook"), 200, ignored},
		"GitLabWrong":        {"Another's token.", post("gitlab", pushed, headerGitLab, foreign.Reveal()), 404, forged},
		"GitLabUpperCase":    {"Tokens are no digits.", post("gitlab", pushed, headerGitLab, strings.ToUpper(token.Reveal())), 404, forged},
		"GitLabTruncated":    {"A part of it proves nothing.", post("gitlab", pushed, headerGitLab, token.Reveal()[:15]), 404, forged},
		"GitLabEmpty":        {"Nothing is shown.", post("gitlab", pushed, headerGitLab, ""), 404, forged},
		"GitLabAbsent":       {"Nothing is shown.", post("gitlab", pushed), 404, forged},
		"GitLabSigned":       {"It has no signatures.", post("gitlab", pushed, headerHub, "sha256="+good), 404, forged},
		"Generic":            {"As Flux has it.", post("generic", pushed, headerGeneric, "sha256="+good), 200, accepted},
		"Generic512":         {"As Flux has it.", post("generic", pushed, headerGeneric, "sha512="+sum(sha512.New, token, pushed)), 200, accepted},
		"GenericMislabelled": {"It is not what it says.", post("generic", pushed, headerGeneric, "sha512="+good), 404, forged},
		"GenericSHA1":        {"It is over.", post("generic", pushed, headerGeneric, "sha1="+good), 404, forged},
		"GenericUpperLabel":  {"It has one name.", post("generic", pushed, headerGeneric, "SHA256="+good), 404, forged},
		"GenericWrong":       {"Another's token.", post("generic", pushed, headerGeneric, "sha256="+wrong), 404, forged},
		"GenericAbsent":      {"Nothing is shown.", post("generic", pushed), 404, forged},
		"GenericHuge":        {"No signature is that long.", post("generic", pushed, headerGeneric, "sha256="+strings.Repeat("0", 8000)), 404, forged},
		"Suspended":          {"It rests, and nothing went wrong.", post("rests", pushed, headerHub, "sha256="+good), 200, suspended},
		"SuspendedWrong":     {"Only who knows the token learns that.", post("rests", pushed, headerHub, "sha256="+wrong), 404, forged},
		"Unknown":            {"It leads nowhere.", post("gone", pushed, headerHub, "sha256="+good), 404, unknown},
		"UnknownUnsigned":    {"It leads nowhere.", post("gone", pushed), 404, unknown},
		"NoPath":             {"It is none.", httptest.NewRequest(http.MethodPost, "/hook/", strings.NewReader(pushed)), 404, unknown},
		"ShortPath":          {"It is none.", httptest.NewRequest(http.MethodPost, "/hook/00", strings.NewReader(pushed)), 404, unknown},
		"UpperPath":          {"It has one form.", httptest.NewRequest(http.MethodPost, "/hook/"+strings.Repeat("A", 64), strings.NewReader(pushed)), 404, unknown},
		"Get":                {"Browsers look around.", httptest.NewRequest(http.MethodGet, pathOf("github"), nil), 405, wrongMethod},
		"Head":               {"Monitors as well.", httptest.NewRequest(http.MethodHead, pathOf("github"), nil), 405, wrongMethod},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			w := d.answer(tc.request)

			kind := noType
			if s, ok := d.phone.syncs[tc.request.URL.Path]; ok && tc.verdict != wrongMethod {
				kind = string(s.Type)
			}

			if w.Code != tc.status || testutil.ToFloat64(d.requests.WithLabelValues(kind, string(tc.verdict))) != 1 {
				t.Errorf("%s\nanswered %d, want %d as %s", tc.reason, w.Code, tc.status, tc.verdict)
			}

			if w.Body.Len() != 0 || len(w.Header()["Content-Type"]) != 0 {
				t.Errorf("%s\na stranger learns %q %v", tc.reason, w.Body.String(), w.Header())
			}

			if told := len(d.told); told > 1 || (told == 1) != (tc.verdict == accepted) {
				t.Errorf("%s\ntold %v", tc.reason, d.told)
			}
		})
	}
}

// TestStrangersLearnNothing: whether a GitSync exists makes no difference to who does not know its token.
func TestStrangersLearnNothing(t *testing.T) {
	for name, headers := range map[string][]string{
		"Unsigned": nil,
		"Signed":   {headerHub, "sha256=" + sha(foreign, pushed), headerGitLab, foreign.Reveal(), headerGeneric, "sha512=00"},
		"Ping":     {"X-GitHub-Event", "ping"},
	} {
		d := newDoor(t)
		nowhere := d.answer(post("gone", pushed, headers...))

		for _, sync := range []string{"github", "gitlab", "gitea", "generic", "rests"} {
			got := d.answer(post(sync, pushed, headers...))
			if fmt.Sprint(got.Code, got.Header(), got.Body) != fmt.Sprint(nowhere.Code, nowhere.Header(), nowhere.Body) {
				t.Errorf("%s: %s answers %d %v, a path that leads nowhere %d %v", name, sync, got.Code, got.Header(), nowhere.Code, nowhere.Header())
			}
		}

		if d.phone.asked != 6 {
			t.Errorf("%s: the directory was asked %d times for 6 requests", name, d.phone.asked)
		}
	}
}

// TestReplays: the same request again is a hint again, and Hints make one of many.
func TestReplays(t *testing.T) {
	d := newDoor(t)
	for range 3 {
		if w := d.answer(post("github", pushed, headerHub, "sha256="+sha(token, pushed), "X-GitHub-Delivery", "1-2-3")); w.Code != 200 {
			t.Errorf("answered %d", w.Code)
		}
	}

	if len(d.told) != 3 {
		t.Errorf("told %v", d.told)
	}
}

func TestClosed(t *testing.T) {
	h, err := New(Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}

	w := httptest.NewRecorder()
	h.ServeHTTP(w, post("github", pushed, headerHub, "sha256="+sha(token, pushed)))

	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("before it is open: %d %v", w.Code, w.Header())
	}

	d := newDoor(t)
	d.stopping = true

	if w := d.answer(post("github", pushed, headerHub, "sha256="+sha(token, pushed))); w.Code != 503 {
		t.Errorf("when the server stops: %d", w.Code)
	}

	d = newDoor(t)
	d.phone.err = errors.New("caches are not filled")

	if w := d.answer(post("github", pushed, headerHub, "sha256="+sha(token, pushed))); w.Code != 503 || len(d.told) != 0 {
		t.Errorf("without a directory: %d, told %v", w.Code, d.told)
	}
}

// TestAddressesAreLimited: one stranger is sent away, others are not, and neither is who knows a token.
func TestAddressesAreLimited(t *testing.T) {
	d := newDoor(t)
	from := func(address string, r *http.Request) int {
		r.RemoteAddr = address

		return d.answer(r).Code
	}

	for i := range addressBurst {
		names := []string{"github", "gone"}
		if got := from("192.0.2.1:1000", post(names[i%2], pushed)); got != 404 {
			t.Fatalf("within the burst: %d", got)
		}
	}

	if got := from("192.0.2.1:2000", post("github", pushed)); got != http.StatusTooManyRequests {
		t.Errorf("after the burst: %d", got)
	}

	for i := range 3 * addressBurst {
		if got := from("192.0.2.3:1000", post("github", pushed, headerHub, "sha256="+sha(token, pushed))); got != 200 {
			t.Fatalf("request %d of who knows the token: %d", i, got)
		}
	}
}
