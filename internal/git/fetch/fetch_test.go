package fetch_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git/fetch"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/source"
)

// content is the file "a" of a checkout.
func content(t *testing.T, c fetch.Checkout) string {
	t.Helper()

	tree, err := object.GetTree(c.Objects, c.Root)
	if err != nil {
		t.Fatal(err)
	}

	f, err := tree.File("a")
	if err != nil {
		t.Fatal(err)
	}

	s, err := f.Contents()
	if err != nil {
		t.Fatal(err)
	}

	return s
}

// reasonOf is the reason of an error, and its text.
func reasonOf(err error) (source.Reason, string) {
	var e *source.Error
	if errors.As(err, &e) {
		return e.Reason, e.Error()
	}

	if err != nil {
		return "(no *source.Error)", err.Error()
	}

	return "", ""
}

// history makes a repository with three commits, tags and a reference of a pull request; it returns the commits.
func history(r *gittest.Repo) (first, second, third string) {
	first = r.Commit(r.TreeOf(gittest.Files{"a": "1"}), "First")
	second = r.Commit(r.TreeOf(gittest.Files{"a": "2"}), "Second", first)
	third = r.Commit(r.TreeOf(gittest.Files{"a": "3"}), "Third\n\nWith more to say.", second)

	r.Ref("refs/heads/main", third)
	r.Ref("refs/heads/old", first)
	r.Ref("refs/tags/v1.0.0", first)
	r.Tag("v1.2.0", second)
	r.Ref("refs/tags/v2.0.0-rc.1", third)
	r.Ref("refs/tags/nightly", third)
	r.Ref("refs/pull/7/head", second)

	return first, second, third
}

func TestReferences(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	repo := gittest.NewRepo(t, s.Root, "a.git")
	first, second, third := history(repo)
	open := gittest.NewRepo(t, s.Root, "open.git")
	history(open)
	open.Config("[uploadpack]\n\tallowReachableSHA1InWant = true\n")

	for name, tc := range map[string]struct {
		reason   string
		repo     string
		ref      source.Ref
		revision string
		content  string
	}{
		"NoneIsHEAD":          {"A repository that nobody configured has one branch that everybody means.", "a.git", source.Ref{}, "main@sha1:" + third, "3"},
		"Branch":              {"", "a.git", source.Ref{Branch: "old"}, "old@sha1:" + first, "1"},
		"LightTag":            {"", "a.git", source.Ref{Tag: "v1.0.0"}, "v1.0.0@sha1:" + first, "1"},
		"AnnotatedTag":        {"The revision names the commit, not the tag.", "a.git", source.Ref{Tag: "v1.2.0"}, "v1.2.0@sha1:" + second, "2"},
		"SemVerHighest":       {"", "a.git", source.Ref{SemVer: ">=1.0.0"}, "v1.2.0@sha1:" + second, "2"},
		"SemVerRange":         {"", "a.git", source.Ref{SemVer: "1.0.x"}, "v1.0.0@sha1:" + first, "1"},
		"SemVerPreRelease":    {"Pre-releases count where they are asked for.", "a.git", source.Ref{SemVer: ">=1.0.0-0"}, "v2.0.0-rc.1@sha1:" + third, "3"},
		"Name":                {"", "a.git", source.Ref{Name: "refs/pull/7/head"}, "refs/pull/7/head@sha1:" + second, "2"},
		"NameOfBranch":        {"A branch is called the same however it is named.", "a.git", source.Ref{Name: "refs/heads/old"}, "old@sha1:" + first, "1"},
		"CommitAtTip":         {"", "a.git", source.Ref{Commit: third}, "sha1:" + third, "3"},
		"CommitInHistory":     {"A server that gives no commits by hash still has branches.", "a.git", source.Ref{Commit: second, Branch: "main"}, "main@sha1:" + second, "2"},
		"CommitInAnyBranch":   {"", "a.git", source.Ref{Commit: second}, "sha1:" + second, "2"},
		"CommitByHash":        {"", "open.git", source.Ref{Commit: second}, "sha1:" + second, "2"},
		"TagBeatsBranch":      {"Flux' precedence.", "a.git", source.Ref{Branch: "main", Tag: "v1.0.0"}, "v1.0.0@sha1:" + first, "1"},
		"SemVerBeatsTag":      {"Flux' precedence.", "a.git", source.Ref{Tag: "v1.0.0", SemVer: "1.2.x"}, "v1.2.0@sha1:" + second, "2"},
		"NameBeatsSemVer":     {"Flux' precedence.", "a.git", source.Ref{SemVer: "1.2.x", Name: "refs/heads/old"}, "old@sha1:" + first, "1"},
		"CommitBeatsAnything": {"Flux' precedence.", "a.git", source.Ref{Tag: "v1.2.0", Name: "refs/heads/old", Commit: third}, "sha1:" + third, "3"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := fetch.Fetch(t.Context(), source.Request{
				URL: s.At(tc.repo), Ref: tc.ref, Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true,
			}, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}

			if c.Revision != tc.revision {
				t.Errorf("revision is %s, want %s", c.Revision, tc.revision)
			}

			if got := content(t, c); got != tc.content {
				t.Errorf("content is %q, want %q", got, tc.content)
			}
		})
	}
}

func TestCommitIsDescribed(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	_, _, third := history(gittest.NewRepo(t, s.Root, "a.git"))

	c, err := fetch.Fetch(t.Context(), source.Request{URL: s.At("a.git"), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	want := source.Commit{Hash: third, Author: "Ada Example", Subject: "Third", Time: gittest.When}
	if diff := cmp.Diff(want, c.Commit); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestKnownRevisionIsNotFetched(t *testing.T) {
	var uploads atomic.Int32

	s := gittest.NewHTTP(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
			uploads.Add(1)
		}

		next.ServeHTTP(w, r)
	})
	repo := gittest.NewRepo(t, s.Root, "a.git")
	first, _, third := history(repo)

	r := source.Request{URL: s.At("a.git"), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true, Known: "main@sha1:" + third}

	c, err := fetch.Fetch(t.Context(), r, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	if !c.Unchanged || c.Revision != r.Known || c.Commit.Hash != third || uploads.Load() != 0 {
		t.Errorf("got %+v and %d uploads; want it unchanged, and none", c, uploads.Load())
	}

	repo.Ref("refs/heads/main", first)

	if c, err = fetch.Fetch(t.Context(), r, t.TempDir()); err != nil || c.Unchanged || uploads.Load() != 1 {
		t.Errorf("after a push: %+v, %v, %d uploads; want it fetched", c, err, uploads.Load())
	}

	// A commit is known without a server.
	s.Close()

	r.Ref, r.Known = source.Ref{Commit: first}, "sha1:"+first
	if c, err = fetch.Fetch(t.Context(), r, t.TempDir()); err != nil || !c.Unchanged {
		t.Errorf("a known commit: %+v, %v; want it unchanged", c, err)
	}
}

func TestSSH(t *testing.T) {
	s := gittest.NewSSH(t)
	_, _, third := history(gittest.NewRepo(t, s.Root, "team/a.git"))
	stranger, _ := gittest.NewKey(t)
	other := gittest.NewSSH(t)

	for name, tc := range map[string]struct {
		reason string
		url    string
		auth   source.Auth
		want   source.Reason
		says   string
	}{
		"Good":             {"", s.At("team/a.git"), source.Auth{SSHIdentity: source.Secret(s.Identity), KnownHosts: s.KnownHosts}, "", ""},
		"NoKnownHosts":     {"Nothing is trusted on first use.", s.At("team/a.git"), source.Auth{SSHIdentity: source.Secret(s.Identity)}, source.ReasonAuthenticationFailed, "knownHosts"},
		"OtherHostsKnown":  {"", s.At("team/a.git"), source.Auth{SSHIdentity: source.Secret(s.Identity), KnownHosts: other.KnownHosts}, source.ReasonAuthenticationFailed, "no key of the server"},
		"KnownHostsBroken": {"", s.At("team/a.git"), source.Auth{SSHIdentity: source.Secret(s.Identity), KnownHosts: "what?"}, source.ReasonAuthenticationFailed, "format"},
		"OtherKeyKnown": {"Somebody else answers at the same address.", s.At("team/a.git"), source.Auth{
			SSHIdentity: source.Secret(s.Identity), KnownHosts: strings.Fields(s.KnownHosts)[0] + " " + strings.Join(strings.Fields(other.KnownHosts)[1:], " "),
		}, source.ReasonAuthenticationFailed, "not the one in knownHosts"},
		"WrongIdentity":  {"", s.At("team/a.git"), source.Auth{SSHIdentity: source.Secret(stranger), KnownHosts: s.KnownHosts}, source.ReasonAuthenticationFailed, "does not accept"},
		"NoIdentity":     {"", s.At("team/a.git"), source.Auth{KnownHosts: s.KnownHosts}, source.ReasonAuthenticationFailed, "sshIdentity"},
		"BrokenIdentity": {"", s.At("team/a.git"), source.Auth{SSHIdentity: "hunter2", KnownHosts: s.KnownHosts}, source.ReasonAuthenticationFailed, "no private key"},
		"NoRepository":   {"The server's own words help.", s.At("b.git"), source.Auth{SSHIdentity: source.Secret(s.Identity), KnownHosts: s.KnownHosts}, source.ReasonGitOperationFailed, "does not appear to be a git repository"},
		"QuotedPath":     {"A path is one word, whatever is in it.", s.At("a%27%3B%20touch%20x%3B%20%27.git"), source.Auth{SSHIdentity: source.Secret(s.Identity), KnownHosts: s.KnownHosts}, source.ReasonGitOperationFailed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := fetch.Fetch(t.Context(), source.Request{URL: tc.url, Auth: tc.auth, AllowPrivateAddresses: true}, t.TempDir())
			if reason, text := reasonOf(err); reason != tc.want || !strings.Contains(text, tc.says) {
				t.Fatalf("got %s, %q; want %s that says %q", reason, text, tc.want, tc.says)
			}

			if tc.want == "" && (c.Revision != "main@sha1:"+third || content(t, c) != "3") {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestCredentialsGoToTheirHostAlone(t *testing.T) {
	var leaked atomic.Int32

	// What others are asked for, they serve from the same place, so that a leak would succeed.
	var target *gittest.HTTP

	serve := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Authorization") != "" {
			leaked.Add(1)
		}

		next.ServeHTTP(w, r)
	}
	target = gittest.NewHTTP(t, serve)
	history(gittest.NewRepo(t, target.Root, "a.git"))

	plain := gittest.NewPlainHTTP(t, serve)
	history(gittest.NewRepo(t, plain.Root, "a.git"))

	var s *gittest.HTTP
	s = gittest.NewHTTP(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		path, query := r.URL.Path, "?"+r.URL.RawQuery

		switch {
		case strings.HasPrefix(path, "/elsewhere/"):
			http.Redirect(w, r, target.URL+strings.TrimPrefix(path, "/elsewhere")+query, http.StatusFound)
		case strings.HasPrefix(path, "/plain/"):
			http.Redirect(w, r, plain.URL+strings.TrimPrefix(path, "/plain")+query, http.StatusFound)
		case strings.HasPrefix(path, "/renamed/"):
			http.Redirect(w, r, strings.TrimPrefix(path, "/renamed")+query, http.StatusMovedPermanently)
		case strings.HasPrefix(path, "/loop/"):
			http.Redirect(w, r, path+query, http.StatusFound)
		case strings.HasPrefix(path, "/page/"):
			http.Redirect(w, r, s.URL+"/login", http.StatusFound)
		case path == "/login":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte("<html>"))
		default:
			if user, password, _ := r.BasicAuth(); user != "ada" || password != "hunter2" {
				w.WriteHeader(http.StatusUnauthorized)

				return
			}

			next.ServeHTTP(w, r)
		}
	})
	history(gittest.NewRepo(t, s.Root, "a.git"))

	good := source.Auth{Username: "ada", Password: "hunter2", CAFile: append(s.CA(), target.CA()...)}
	anonymous := source.Auth{CAFile: good.CAFile}

	for name, tc := range map[string]struct {
		reason string
		url    string
		auth   source.Auth
		want   source.Reason
		says   string
	}{
		"Good":                {"", s.At("a.git"), good, "", ""},
		"SameHostRedirect":    {"Repositories are renamed.", s.At("renamed/a.git"), good, "", ""},
		"OtherHostRedirect":   {"Another host does not get what was meant for this one.", s.At("elsewhere/a.git"), good, source.ReasonGitOperationFailed, "another host"},
		"OtherHostUnneeded":   {"Without credentials there is nothing to leak.", s.At("elsewhere/a.git"), anonymous, "", ""},
		"DownToPlain":         {"Nobody in between may change what is fetched.", s.At("plain/a.git"), anonymous, source.ReasonGitOperationFailed, "not followed"},
		"Loop":                {"", s.At("loop/a.git"), good, source.ReasonGitOperationFailed, "redirects more than"},
		"LoginPage":           {"", s.At("page/a.git"), good, source.ReasonGitOperationFailed, "not how repositories answer"},
		"NoCredentials":       {"", s.At("a.git"), anonymous, source.ReasonAuthenticationFailed, "wants credentials"},
		"WrongCredentials":    {"", s.At("a.git"), source.Auth{Username: "ada", Password: "wrong", CAFile: s.CA()}, source.ReasonAuthenticationFailed, "does not accept"},
		"PlainCredentials":    {"", plain.At("a.git"), good, source.ReasonURLInvalid, "https://"},
		"PlainBearer":         {"", plain.At("a.git"), source.Auth{BearerToken: "hunter2"}, source.ReasonURLInvalid, "https://"},
		"PlainAnonymous":      {"", plain.At("a.git"), source.Auth{}, "", ""},
		"UnknownCertificate":  {"", s.At("a.git"), source.Auth{Username: "ada", Password: "hunter2"}, source.ReasonGitOperationFailed, "unknown authority"},
		"BrokenCA":            {"", s.At("a.git"), source.Auth{CAFile: []byte("x")}, source.ReasonAuthenticationFailed, "no certificate"},
		"CredentialsInTheURL": {"", strings.Replace(s.At("a.git"), "https://", "https://ada:hunter2@", 1), good, source.ReasonURLInvalid, "no password"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := fetch.Fetch(t.Context(), source.Request{URL: tc.url, Auth: tc.auth, AllowPrivateAddresses: true}, t.TempDir())

			reason, text := reasonOf(err)
			if reason != tc.want || !strings.Contains(text, tc.says) {
				t.Fatalf("got %s, %q; want %s that says %q", reason, text, tc.want, tc.says)
			}

			if strings.Contains(text, "hunter2") {
				t.Errorf("the password is in the error: %s", text)
			}

			if tc.want == "" && content(t, c) != "3" {
				t.Errorf("got %+v", c)
			}
		})
	}

	if leaked.Load() != 0 {
		t.Error("credentials went to another host")
	}
}

func TestAddressesThatAreNotPublic(t *testing.T) {
	var asked atomic.Int32

	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inside.Close()

	_, port, _ := strings.Cut(strings.TrimPrefix(inside.URL, "http://"), ":")

	for _, at := range []string{
		"http://127.0.0.1:" + port + "/a", "http://localhost:" + port + "/a", "http://[::ffff:127.0.0.1]:" + port + "/a",
		"http://0.0.0.0:" + port + "/a", "https://169.254.169.254/a", "ssh://git@127.0.0.1:" + port + "/a", "http://10.0.0.1/a",
	} {
		_, err := fetch.Fetch(t.Context(), source.Request{URL: at, Auth: source.Auth{
			SSHIdentity: source.Secret(first(gittest.NewKey(t))), KnownHosts: "[127.0.0.1]:" + port + " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDfkVN1UgOBAHPsAYdU5BHo8aGuRXRvD9WXFUFcEkcG",
		}}, t.TempDir())
		if strings.HasPrefix(at, "http") {
			_, err = fetch.Fetch(t.Context(), source.Request{URL: at}, t.TempDir())
		}

		if reason, text := reasonOf(err); reason != source.ReasonAddressRefused {
			t.Errorf("%s: got %s, %s; want it refused", at, reason, text)
		}
	}

	if asked.Load() != 0 {
		t.Errorf("an address inside was asked %d times", asked.Load())
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestRequestsThatCanBeNone(t *testing.T) {
	for name, r := range map[string]source.Request{
		"Empty":            {},
		"Ext":              {URL: "ext::sh -c id"},
		"File":             {URL: "file:///etc"},
		"GitProtocol":      {URL: "git://git.test/a"},
		"LocalPath":        {URL: "/etc"},
		"ScpLike":          {URL: "git@git.test:a"},
		"Option":           {URL: "--upload-pack=id"},
		"SSHOption":        {URL: "ssh://-oProxyCommand=id/a"},
		"SSHUserOption":    {URL: "ssh://-l@git.test/a"},
		"SSHPassword":      {URL: "ssh://git:hunter2@git.test/a"},
		"NUL":              {URL: "https://git.test/a\x00b"},
		"EscapedNUL":       {URL: "https://git.test/a%00b"},
		"EscapedNewline":   {URL: "https://git.test/a%0ab"},
		"Newline":          {URL: "https://git.test/a\nb"},
		"NoPath":           {URL: "https://git.test/"},
		"Query":            {URL: "https://git.test/a?x=y"},
		"Fragment":         {URL: "https://git.test/a#x"},
		"Long":             {URL: "https://git.test/" + strings.Repeat("a", 3000)},
		"BranchOption":     {URL: "https://git.test/a", Ref: source.Ref{Branch: "-x"}},
		"BranchUp":         {URL: "https://git.test/a", Ref: source.Ref{Branch: "../../x"}},
		"BranchSpace":      {URL: "https://git.test/a", Ref: source.Ref{Branch: "a b"}},
		"TagControl":       {URL: "https://git.test/a", Ref: source.Ref{Tag: "a\x07"}},
		"NameOutside":      {URL: "https://git.test/a", Ref: source.Ref{Name: "HEAD"}},
		"CommitShort":      {URL: "https://git.test/a", Ref: source.Ref{Commit: "abc123"}},
		"SemVerNone":       {URL: "https://git.test/a", Ref: source.Ref{SemVer: "latest"}},
		"VerifyWithoutKey": {URL: "https://git.test/a", Verify: &source.Verify{}},
		"VerifyMode":       {URL: "https://git.test/a", Verify: &source.Verify{Mode: "maybe", SSHKeys: []string{"x"}}},
		"VerifyBrokenKey":  {URL: "https://git.test/a", Verify: &source.Verify{PGPKeys: []string{"x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fetch.Fetch(t.Context(), r, t.TempDir())

			var e *source.Error
			if !errors.As(err, &e) || e.Field == "" || e.Transient {
				t.Fatalf("got %#v; want a field to be named, for good", err)
			}

			if strings.Contains(e.Error(), "hunter2") {
				t.Errorf("the password is in the error: %s", e)
			}
		})
	}
}
