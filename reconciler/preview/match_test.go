package preview_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/preview"
	"github.com/dogker/dogker/reconciler/source"
)

func TestSelector(t *testing.T) {
	branches := func(include, exclude []string) gitopsv1.GitPreviewSpec {
		return gitopsv1.GitPreviewSpec{Branches: &gitopsv1.BranchSelector{Include: include, Exclude: exclude}}
	}
	pulls := gitopsv1.GitPreviewSpec{PullRequests: &gitopsv1.PullRequestSelector{From: 10}}

	for name, tc := range map[string]struct {
		reason string
		spec   gitopsv1.GitPreviewSpec
		ref    string
		want   bool
	}{
		"Exact":        {"A name without a pattern is itself.", branches([]string{"main"}, nil), "refs/heads/main", true},
		"NoPrefix":     {"And nothing that begins with it.", branches([]string{"main"}, nil), "refs/heads/main2", false},
		"Star":         {"One star stays between slashes.", branches([]string{"feature/*"}, nil), "refs/heads/feature/a", true},
		"StarSlash":    {"It does not pass one.", branches([]string{"feature/*"}, nil), "refs/heads/feature/a/b", false},
		"TwoStars":     {"Two do.", branches([]string{"feature/**"}, nil), "refs/heads/feature/a/b", true},
		"All":          {"Two stars alone are everything.", branches([]string{"**"}, nil), "refs/heads/x/y", true},
		"One":          {"A question mark is one character.", branches([]string{"v?"}, nil), "refs/heads/v1", true},
		"OneOnly":      {"And not two.", branches([]string{"v?"}, nil), "refs/heads/v10", false},
		"Dot":          {"A dot is a dot.", branches([]string{"v1.0"}, nil), "refs/heads/v1x0", false},
		"Regexp":       {"Patterns are no regular expressions.", branches([]string{".*"}, nil), "refs/heads/main", false},
		"Excluded":     {"What is excluded is not included.", branches([]string{"**"}, []string{"main", "release/**"}), "refs/heads/release/1/x", false},
		"Tag":          {"Tags are no branches.", branches([]string{"**"}, nil), "refs/tags/v1", false},
		"NoPulls":      {"Branches are no pull requests.", branches([]string{"**"}, nil), "refs/pull/10/head", false},
		"Pull":         {"From this number on.", pulls, "refs/pull/10/head", true},
		"Older":        {"Not before.", pulls, "refs/pull/9/head", false},
		"Merge":        {"What would be merged is not what was pushed.", pulls, "refs/pull/10/merge", false},
		"Merges":       {"GitLab calls them otherwise.", pulls, "refs/merge-requests/10/head", true},
		"Word":         {"A number is a number.", pulls, "refs/pull/ten/head", false},
		"Huge":         {"And not one without end.", pulls, "refs/pull/99999999999999999999/head", false},
		"PullNoBranch": {"Pull requests are no branches.", pulls, "refs/heads/main", false},
		"NewLine":      {"A star is anything else.", branches([]string{"a*"}, nil), "refs/heads/a\nb", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := preview.NewSelector(&tc.spec)
			if got := s.Match(tc.ref); got != tc.want {
				t.Errorf("%s\ngot %t", tc.reason, got)
			}
		})
	}

	both := branches([]string{"*"}, nil)
	both.PullRequests = pulls.PullRequests
	s := preview.NewSelector(&both)

	want := []source.RefPattern{"refs/heads/*", "refs/pull/*/head", "refs/merge-requests/*/head", "refs/pull-requests/*/from"}
	if diff := cmp.Diff(want, s.Patterns()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	got := s.Matching(source.Refs{Items: []source.Tip{{Name: "refs/heads/a", Commit: "1"}, {Name: "refs/pull/3/head", Commit: "2"}}})
	if diff := cmp.Diff(map[string]string{"refs/heads/a": "1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
