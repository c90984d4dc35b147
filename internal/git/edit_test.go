package git_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/source"
)

const (
	marker      = `# {"$imagepolicy": "acme:app"}`
	imageDigest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// apps is a repository with three places for an image, and much that is none of anybody's business.
func apps() gittest.Files {
	return gittest.Files{
		"README.md":          "image: app:1.0 " + marker + "\n",
		"apps/web.yaml":      "# Head\nspec:\n    image:   'app:1.0'  " + marker + "\n    name: x\n",
		"apps/sub/jobs.yml":  "a: b\n---\nimages:\n- app:1.0 " + marker + "\n- other:1\n",
		"apps/plain.yaml":    "tag:\t[\n",
		"apps/link.yaml":     "-> web.yaml",
		"charts/values.yaml": "tag: 1.0 # {\"$imagepolicy\": \"acme:app:tag\"}\r\n",
	}
}

func edit(url, tag string) source.EditRequest {
	return source.EditRequest{
		Tenant: "acme", URL: url, Branch: "main", AllowPrivateAddresses: true, Author: "Bot", Email: "bot@example.test",
		Image: source.Image{Policy: "acme:app", Name: "app", Tag: tag, Digest: imageDigest},
	}
}

func TestEditCommitsAndPushes(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	repo := gittest.NewRepo(t, s.Root, "a.git").Writable()
	first := repo.Push(apps())

	r := edit(s.At("a.git"), "1.10")
	r.Auth.CAFile = s.CA()

	got, err := git.Builder{Dir: t.TempDir()}.Edit(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}

	head := repo.Git("rev-parse", "main")
	want := source.Edited{Revision: "main@sha1:" + head, Markers: 3, Branch: "main", Commit: head, Changes: []source.Change{
		{File: "apps/sub/jobs.yml", Line: 4, OldValue: "app:1.0", NewValue: "app:1.10"},
		{File: "apps/web.yaml", Line: 3, OldValue: "app:1.0", NewValue: "app:1.10"},
		{File: "charts/values.yaml", Line: 1, OldValue: "1.0", NewValue: "1.10"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	patch := repo.Git("show", "--format=%P|%an|%ae|%cn|%B", "--unified=0", "main")
	for _, line := range []string{
		first + "|Bot|bot@example.test|Bot|Update acme:app to 1.10\n\napps/sub/jobs.yml:4: app:1.0 → app:1.10\n",
		"-- app:1.0 " + marker + "\n+- app:1.10 " + marker + "\n",
		"-    image:   'app:1.0'  " + marker + "\n+    image:   'app:1.10'  " + marker + "\n",
		"-tag: 1.0 # {\"$imagepolicy\": \"acme:app:tag\"}\r\n+tag: \"1.10\" # {\"$imagepolicy\": \"acme:app:tag\"}\r",
	} {
		if !strings.Contains(patch, line) {
			t.Errorf("the commit has no %q:\n%s", line, patch)
		}
	}

	if stat := repo.Git("show", "--format=", "--numstat", "main"); strings.Count(stat, "1\t1\t") != 3 || strings.Count(stat, "\n") != 2 {
		t.Errorf("more has changed than three lines:\n%s", stat)
	}

	if out := repo.Git("fsck", "--strict"); strings.Contains(out, "error") {
		t.Errorf("what was pushed is not sound: %s", out)
	}

	again, err := git.Builder{Dir: t.TempDir()}.Edit(t.Context(), r)
	if err != nil || again.Commit != "" || again.Markers != 3 || repo.Git("rev-list", "--count", "main") != "2" {
		t.Errorf("a second time: %+v, %v", again, err)
	}

	r.Known = got.Revision

	known, err := git.Builder{Dir: t.TempDir()}.Edit(t.Context(), r)
	if diff := cmp.Diff(source.Edited{Revision: got.Revision, Unchanged: true, Branch: "main"}, known); diff != "" || err != nil {
		t.Errorf("what is known is fetched again: %v (-want +got):\n%s", err, diff)
	}
}

func TestEditByWorkersAndSSH(t *testing.T) {
	s := gittest.NewSSH(t)
	repo := gittest.NewRepo(t, s.Root, "a.git")
	repo.Push(apps())

	dir, err := os.MkdirTemp("", "edit-")
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = os.RemoveAll(dir) }()

	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}

	r := edit(s.At("a.git"), "1.1")
	r.Auth = source.Auth{SSHIdentity: source.Secret(s.Identity), KnownHosts: s.KnownHosts}
	r.Path, r.Message = "apps", "{{.Policy}}: {{.Tag}}\n\n{{range .Files}}* {{.}}\n{{end}}"

	got, err := worker.NewPool(worker.Options{Dir: dir}).Edit(t.Context(), r)
	if err != nil || got.Markers != 2 || len(got.Changes) != 2 || got.Commit != repo.Git("rev-parse", "main") {
		t.Fatalf("got %+v: %v", got, err)
	}

	if text := repo.Git("log", "-1", "--format=%B"); text != "acme:app: 1.1\n\n* apps/sub/jobs.yml\n* apps/web.yaml\n" {
		t.Errorf("the message is %q", text)
	}
}

func TestEditToAnotherBranch(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	repo := gittest.NewRepo(t, s.Root, "a.git").Writable()
	first := repo.Push(apps())
	b := git.Builder{Dir: t.TempDir()}

	for i, tag := range []string{"1.1", "1.1", "1.2"} {
		r := edit(s.At("a.git"), tag)
		r.Auth.CAFile, r.PushBranch, r.Branch = s.CA(), "bot/images", ""

		got, err := b.Edit(t.Context(), r)
		if err != nil || got.Branch != "bot/images" || (got.Commit == "") != (i == 1) {
			t.Fatalf("%d: %+v, %v", i, got, err)
		}
	}

	if main, log := repo.Git("rev-parse", "main"), repo.Git("log", "--format=%s", "bot/images"); main != first ||
		log != "Update acme:app to 1.2\nUpdate acme:app to 1.1\nSay what runs" {
		t.Errorf("main is at %s, and the branch has:\n%s", main, log)
	}
}

// TestEditAgainstOthers: a push that somebody else was faster than is made anew on top of theirs, and never forced; where others are
// always faster it is given up for this time.
func TestEditAgainstOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		reason  string
		rivals  int32
		between string
		want    string
	}{
		"BeforeTheQuestion": {"The server says that the branch is elsewhere.", 1, "service=git-receive-pack", ""},
		"BeforeThePush":     {"The server refuses to move it.", 1, "/git-receive-pack", ""},
		"Always":            {"There is a next time.", 1 << 20, "/git-receive-pack", "others push to the branch faster"},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				repo   *gittest.Repo
				rivals atomic.Int32
			)

			s := gittest.NewHTTP(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if strings.Contains(r.URL.String(), tc.between) && (!strings.Contains(r.URL.RawQuery, "service") || strings.Contains(tc.between, "service")) && rivals.Add(1) <= tc.rivals {
					files := apps()
					files["rival.yaml"] = fmt.Sprintf("n: %d\n", rivals.Load())
					repo.Ref("refs/heads/main", repo.Commit(repo.TreeOf(files), "Be faster", repo.Git("rev-parse", "main")))
				}

				next.ServeHTTP(w, r)
			})
			repo = gittest.NewRepo(t, s.Root, "a.git").Writable()
			repo.Push(apps())

			r := edit(s.At("a.git"), "1.1")
			r.Auth.CAFile = s.CA()

			_, err := git.Builder{Dir: t.TempDir()}.Edit(t.Context(), r)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s\ngot %v", tc.reason, err)
				}

				return
			}

			if err != nil {
				t.Fatal(err)
			}

			if log := repo.Git("log", "--format=%s", "main"); log != "Update acme:app to 1.1\nBe faster\nSay what runs" {
				t.Errorf("%s\nthe branch has:\n%s", tc.reason, log)
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	open := gittest.NewRepo(t, s.Root, "a.git").Writable()
	open.Push(apps())
	closed := gittest.NewRepo(t, s.Root, "closed.git")
	closed.Push(apps())
	protected := gittest.NewRepo(t, s.Root, "protected.git").Writable()
	protected.Push(apps())

	hook := filepath.Join(protected.Dir(), "hooks", "pre-receive")
	if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(hook, []byte("#!/bin/sh\necho main is protected >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}

	broken := gittest.NewRepo(t, s.Root, "broken.git").Writable()
	broken.Push(gittest.Files{"a.yaml": "a: [\nimage: app:1 " + marker + "\n"})

	for name, tc := range map[string]struct {
		reason, repo string
		change       func(*source.EditRequest)
		want         source.Reason
		says         string
	}{
		"ReadOnly":        {"Reading is not writing.", "closed.git", nil, source.ReasonAuthenticationFailed, "the server wants credentials (403)"},
		"Protected":       {"What a hook says is told.", "protected.git", nil, source.ReasonPushFailed, "the server does not take the commit: pre-receive hook declined (main is protected)"},
		"NoBranch":        {"A branch that is not there is not made of nothing.", "a.git", func(r *source.EditRequest) { r.Branch = "none" }, source.ReasonReferenceNotFound, `ref.branch: the repository has no "refs/heads/none"`},
		"BadBranch":       {"A name that is none.", "a.git", func(r *source.EditRequest) { r.PushBranch = "a..b" }, source.ReasonReferenceInvalid, "ref.branch"},
		"NoPath":          {"A directory that is not there.", "a.git", func(r *source.EditRequest) { r.Path = "nowhere" }, source.ReasonPathNotFound, "nowhere: is not in the repository"},
		"PathOut":         {"Nor is one outside.", "a.git", func(r *source.EditRequest) { r.Path = "../x" }, source.ReasonRepositoryRefused, "leads out of the repository"},
		"Broken":          {"A file that is marked must be YAML.", "broken.git", nil, source.ReasonBuildFailed, "a.yaml:2: is no valid YAML"},
		"Template":        {"A template that is none.", "a.git", func(r *source.EditRequest) { r.Message = "{{" }, source.ReasonBuildFailed, "messageTemplate: is no template"},
		"TemplateUnknown": {"A field that there is not.", "a.git", func(r *source.EditRequest) { r.Message = "{{.Password}}" }, source.ReasonBuildFailed, "messageTemplate: cannot be filled in"},
		"TemplateEmpty":   {"A commit has a message.", "a.git", func(r *source.EditRequest) { r.Message = "{{/* nothing */}}" }, source.ReasonBuildFailed, "messageTemplate: comes to nothing"},
		"TemplateLong":    {"One that has an end.", "a.git", func(r *source.EditRequest) { r.Message = `{{range 100000}}xxxxxxxxxx{{end}}` }, source.ReasonBuildFailed, "the message is longer than 64 KiB"},
		"Private":         {"An address that is not public.", "a.git", func(r *source.EditRequest) { r.AllowPrivateAddresses = false }, source.ReasonAddressRefused, "url"},
	} {
		t.Run(name, func(t *testing.T) {
			r := edit(s.At(tc.repo), "1.1")
			r.Auth.CAFile = s.CA()

			if tc.change != nil {
				tc.change(&r)
			}

			_, err := git.Builder{Dir: t.TempDir()}.Edit(t.Context(), r)

			var e *source.Error
			if !errors.As(err, &e) || e.Reason != tc.want || !strings.Contains(e.Error(), tc.says) {
				t.Errorf("%s\ngot %s: %v\nwant %s that says %q", tc.reason, reasonOf(err), err, tc.want, tc.says)
			}
		})
	}

	if n := open.Git("rev-list", "--count", "--all"); n != "1" {
		t.Errorf("there are %s commits after nothing but refusals", n)
	}
}
