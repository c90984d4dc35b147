package forge

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// Status is what was said of a commit.
type Status struct {
	// Context is who says it; GitLab calls it the name.
	Context string
	// State in the words of the forge.
	State string
	// Description says it in a sentence.
	Description string
}

// Failure is what the forge answers in place of what it would.
type Failure struct {
	Code   int
	Header http.Header
	Body   string
	// Delay is how long it takes for that.
	Delay time.Duration
	// After is true when the status is taken all the same: the answer is what fails.
	After bool
}

// most is how many statuses GitHub takes of one commit and context.
const most = 1000

// Forge is one Git server. It is safe for concurrent use.
type Forge struct {
	provider gitopsv1.CommitStatusProvider
	token    string

	mu       sync.Mutex
	commits  map[string]map[string]bool
	statuses map[string][]Status
	failures []Failure
	requests int
}

// New makes a forge that lets those in who have the token.
func New(provider gitopsv1.CommitStatusProvider, token string) *Forge {
	return &Forge{
		provider: provider, token: token,
		commits: map[string]map[string]bool{}, statuses: map[string][]Status{},
	}
}

// Add has a repository know commits. Its name is OWNER/NAME, or with GitLab that of all groups and its own.
func (f *Forge) Add(repository string, commits ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()

	if f.commits[repository] == nil {
		f.commits[repository] = map[string]bool{}
	}

	for _, c := range commits {
		f.commits[repository][c] = true
	}
}

// Fail has the next requests fail, one each.
func (f *Forge) Fail(failures ...Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()

	f.failures = append(f.failures, failures...)
}

// Statuses are what was said of a commit, in the order in which it came.
func (f *Forge) Statuses(commit string) []Status {
	f.mu.Lock()
	defer f.mu.Unlock()

	return slices.Clone(f.statuses[commit])
}

// Commits are those of which something was said.
func (f *Forge) Commits() []string {
	f.mu.Lock()
	defer f.mu.Unlock()

	return slices.Sorted(maps.Keys(f.statuses))
}

// Requests is how many there were, whatever became of them.
func (f *Forge) Requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()

	return f.requests
}

// ServeHTTP answers as the forge does.
func (f *Forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	failure, failing := f.arrive()
	if failing {
		time.Sleep(failure.Delay)
	}

	if failing && !failure.After {
		fail(w, failure)

		return
	}

	code, message := f.take(r)
	if failing {
		fail(w, failure)

		return
	}

	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

func (f *Forge) arrive() (Failure, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()

	f.requests++

	if len(f.failures) == 0 {
		return Failure{}, false
	}

	next := f.failures[0]
	f.failures = f.failures[1:]

	return next, true
}

func fail(w http.ResponseWriter, f Failure) {
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(f.Code)
	_, _ = w.Write([]byte(f.Body))
}

// take does what each of them does with a request, in the order in which they find fault.
func (f *Forge) take(r *http.Request) (code int, message string) {
	if r.Header.Get("User-Agent") == "" {
		return http.StatusForbidden, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header."
	}

	if !f.knows(r.Header) {
		return http.StatusUnauthorized, "Bad credentials"
	}

	repository, commit, ok := f.route(r)
	if !ok {
		return http.StatusNotFound, "Not Found"
	}

	var body map[string]string
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&body) != nil {
		return http.StatusBadRequest, "Problems parsing JSON"
	}

	f.mu.Lock()
	defer f.mu.Unlock()

	known, ok := f.commits[repository]
	if !ok {
		return http.StatusNotFound, "Not Found"
	}

	s, code, message := f.judge(body, known[commit], f.statuses[commit])
	if code == http.StatusCreated {
		f.statuses[commit] = append(f.statuses[commit], s)
	}

	return code, message
}

// knows is whether the token is shown the way that the forge wants it.
func (f *Forge) knows(header http.Header) bool {
	switch f.provider {
	case gitopsv1.StatusGitLab:
		return header.Get("PRIVATE-TOKEN") == f.token
	case gitopsv1.StatusGitea:
		return header.Get("Authorization") == "token "+f.token
	default:
		return header.Get("Authorization") == "Bearer "+f.token
	}
}

// route takes a path apart.
func (f *Forge) route(r *http.Request) (repository, commit string, ok bool) {
	if r.Method != http.MethodPost {
		return "", "", false
	}

	prefix := map[gitopsv1.CommitStatusProvider]string{
		gitopsv1.StatusGitHub: "/api/v3/repos/", gitopsv1.StatusGitLab: "/api/v4/projects/", gitopsv1.StatusGitea: "/api/v1/repos/",
	}[f.provider]

	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix)
	if !ok {
		return "", "", false
	}

	segments := strings.Split(rest, "/")
	if f.provider == gitopsv1.StatusGitLab {
		// The whole name of a project is one segment.
		if len(segments) != 3 || segments[1] != "statuses" {
			return "", "", false
		}

		repository, err := url.PathUnescape(segments[0])

		return repository, segments[2], err == nil
	}

	if len(segments) != 4 || segments[2] != "statuses" {
		return "", "", false
	}

	repository, err := url.PathUnescape(segments[0] + "/" + segments[1])

	return repository, segments[3], err == nil
}
