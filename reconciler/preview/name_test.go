package preview_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dogker/dogker/reconciler/preview"
)

// label is what a namespace can be called.
var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func TestName(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		ref    string
		want   string
	}{
		"Label":       {"A branch that is a label already is its own name.", "refs/heads/login", "acme-login"},
		"Slash":       {"One that is not has a hash, so that no other one has its name.", "refs/heads/feature/login", "acme-feature-login-3de6205b"},
		"Upper":       {"Names are lower case.", "refs/heads/Login", "acme-login-880c2cdb"},
		"Pull":        {"Pull requests are called by number.", "refs/pull/12/head", "acme-pr-12"},
		"Merge":       {"Also where they are called merge requests.", "refs/merge-requests/12/head", "acme-mr-12"},
		"Bitbucket":   {"And where they are called something else.", "refs/pull-requests/7/from", "acme-pr-7"},
		"LikeAPull":   {"No branch is called like one.", "refs/heads/pr-12", "acme-pr-12-352a9b83"},
		"LikeAHash":   {"Nor like a branch with a hash.", "refs/heads/feature-login-3de6205b", "acme-feature-login-3de6205b-55606731"},
		"Nothing":     {"Where nothing is left there is still the hash.", "refs/heads/Ж", "acme-e8405ad0"},
		"Hyphens":     {"Hyphens do not pile up.", "refs/heads/a--b", "acme-a-b-8d51b8be"},
		"LeadingZero": {"A number has one form.", "refs/pull/012/head", "acme-a57b9fc4"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := preview.Name("acme", tc.ref); got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// hostile are branches that somebody might push who means no good.
var hostile = []string{
	"-x", "../../etc/passwd", "a/../b", strings.Repeat("l", 244), strings.Repeat("é", 120), "\u202egnp.exe", "${PREVIEW_NAME}",
	"a'; DROP TABLE", "x\" y: z", "kube-system", "default", "dogker-system", "{{ .Values }}", "$(id)", "%2e%2e", "日本語", "a\u0000b",
	"feature/" + strings.Repeat("x/", 100), "-", "--", "a-", "0", strings.Repeat("-", 60) + "a",
}

// TestHostileNames: whatever a branch is called, its preview has a name that a namespace can have, below its tenant's, and
// variables that can be no YAML.
func TestHostileNames(t *testing.T) {
	value := regexp.MustCompile(`^[a-z0-9-]*$`)

	for _, tenant := range []string{"a", "acme", strings.Repeat("t", preview.MaxParent)} {
		seen := map[string]string{}

		for _, branch := range hostile {
			ref := "refs/heads/" + branch

			name := preview.Name(tenant, ref)
			if !label.MatchString(name) || !strings.HasPrefix(name, tenant+"-") {
				t.Errorf("branch %q of %q gets %q, which is no label below it", branch, tenant, name)
			}

			if other, taken := seen[name]; taken {
				t.Errorf("branches %q and %q are both %q", branch, other, name)
			}

			seen[name] = branch

			for key, v := range preview.Variables(tenant, ref, 30000) {
				if !value.MatchString(v) || len(v) > 63 {
					t.Errorf("branch %q: %s is %q", branch, key, v)
				}
			}
		}
	}
}

func TestVariables(t *testing.T) {
	got := preview.Variables("acme", "refs/heads/Feature/Login", 30001)
	want := map[string]string{
		"PREVIEW_NAME": "feature-login-4d5585f5", "PREVIEW_NAMESPACE": "acme-feature-login-4d5585f5", "PREVIEW_BRANCH": "feature-login",
		"PREVIEW_NUMBER": "", "PREVIEW_PORT": "30001",
	}

	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
	}

	if got := preview.Variables("acme", "refs/pull/3/head", 0); got["PREVIEW_NUMBER"] != "3" || got["PREVIEW_BRANCH"] != "" || got["PREVIEW_PORT"] != "" || len(got) != len(want) {
		t.Errorf("of a pull request: %v", got)
	}
}

// TestTenThousandBranches have ten thousand names.
func TestTenThousandBranches(t *testing.T) {
	seen := map[string]bool{}

	for n := range 5_000 {
		for _, ref := range []string{fmt.Sprintf("refs/heads/feature/%d", n), fmt.Sprintf("refs/heads/feature-%d", n)} {
			name := preview.Name("acme", ref)
			if seen[name] {
				t.Fatalf("%s is %q, which another one is", ref, name)
			}

			seen[name] = true
		}
	}
}

func FuzzName(f *testing.F) {
	for _, branch := range hostile {
		f.Add(branch, 4)
	}

	f.Fuzz(func(t *testing.T, branch string, length int) {
		if branch == "" || !utf8.ValidString(branch) {
			return
		}

		tenant := strings.Repeat("t", 1+abs(length)%preview.MaxParent)
		if name := preview.Name(tenant, "refs/heads/"+branch); !label.MatchString(name) || name != preview.Name(tenant, "refs/heads/"+branch) {
			t.Errorf("branch %q of %q gets %q", branch, tenant, name)
		}
	})
}

func abs(n int) int { return max(n, -max(n, -1<<62)) }
