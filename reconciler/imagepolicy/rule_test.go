package imagepolicy

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

func semverOf(in string) gitopsv1.ImagePolicySpec {
	return gitopsv1.ImagePolicySpec{Policy: gitopsv1.ImagePolicyChoice{SemVer: &gitopsv1.SemVerPolicy{Range: in}}}
}

func alphabetical(order gitopsv1.PolicyOrder) gitopsv1.ImagePolicySpec {
	return gitopsv1.ImagePolicySpec{Policy: gitopsv1.ImagePolicyChoice{Alphabetical: &gitopsv1.OrderPolicy{Order: order}}}
}

func numerical(order gitopsv1.PolicyOrder) gitopsv1.ImagePolicySpec {
	return gitopsv1.ImagePolicySpec{Policy: gitopsv1.ImagePolicyChoice{Numerical: &gitopsv1.OrderPolicy{Order: order}}}
}

func filtered(spec gitopsv1.ImagePolicySpec, pattern, extract string) gitopsv1.ImagePolicySpec {
	spec.FilterTags = &gitopsv1.TagFilter{Pattern: pattern, Extract: extract}

	return spec
}

func TestLatest(t *testing.T) {
	cases := map[string]struct {
		reason string
		spec   gitopsv1.ImagePolicySpec
		tags   string
		want   string
	}{
		"SemVerHighest":         {"Ten is more than nine.", semverOf("*"), "1.9.0 1.10.0 1.2.3", "1.10.0"},
		"SemVerRange":           {"What is out of range does not count.", semverOf("1.x"), "1.9.0 2.0.0 1.10.0", "1.10.0"},
		"SemVerWithV":           {"Both spellings are versions.", semverOf("^1.0.0"), "v1.2.0 1.1.0", "v1.2.0"},
		"SemVerPreRelease":      {"A pre-release is not asked for.", semverOf(">=1.0.0"), "1.0.0 1.1.0-rc.1", "1.0.0"},
		"SemVerPreReleaseAsked": {"Here it is.", semverOf(">=1.0.0-0"), "1.0.0 1.1.0-rc.1", "1.1.0-rc.1"},
		"SemVerPartial":         {"A tag that is moved is no version: 1.27 is whatever 1.27.x is today.", semverOf(">=1.0.0"), "1 1.27 1.27.3 latest", "1.27.3"},
		"SemVerDate":            {"A date is no version, however large.", semverOf(">=1.0.0"), "20261122 1.0.0", "1.0.0"},
		"SemVerSame":            {"Two names of one version: the same one every time.", semverOf("*"), "v1.0.0 1.0.0", "v1.0.0"},
		"SemVerSuffix":          {"What is extracted is compared, and the tag is chosen.", filtered(semverOf("*"), `^(?P<v>[0-9.]+)-alpine$`, "$v"), "1.2.0 1.1.0-alpine 1.0.0-alpine", "1.1.0-alpine"},
		"SemVerNone":            {"Nothing is chosen of nothing.", semverOf("3.x"), "1.0.0 2.0.0", ""},
		"Empty":                 {"A repository that has lost its tags is no reason to change anything.", semverOf("*"), "", ""},
		"AlphabeticalAsc":       {"Z is the latest.", alphabetical("asc"), "a c b", "c"},
		"AlphabeticalDesc":      {"A is the latest.", alphabetical("desc"), "b a c", "a"},
		"AlphabeticalBytes":     {"RELEASE tags of the same length sort by their dates.", filtered(alphabetical(""), `^RELEASE\.`, ""), "RELEASE.2026-01-02 RELEASE.2026-11-01 latest", "RELEASE.2026-11-01"},
		"NumericalAsc":          {"Ten is more than nine.", numerical("asc"), "9 10 1", "10"},
		"NumericalDesc":         {"The smallest.", numerical("desc"), "9 10 1", "1"},
		"NumericalOthers":       {"Tags of others are passed over: anybody may push latest.", numerical("asc"), "latest 1e9 0x10 -1 12 1/2", "12"},
		"NumericalLong":         {"Longer than a float can tell apart.", numerical("asc"), "20261122090807060504 20261122090807060505", "20261122090807060505"},
		"NumericalFraction":     {"Fractions are no versions: 1.10 is less than 1.9.", numerical("asc"), "1.10 1.9 0001.5", "1.9"},
		"NumericalExtract":      {"A build's time is in the middle of its tag.", filtered(numerical("asc"), `^main-[a-f0-9]+-(?P<ts>[0-9]+)$`, "$ts"), "main-abc-100 main-fff-99 main-000-101x", "main-abc-100"},
		"Digest":                {"The one that is named, if it is there.", gitopsv1.ImagePolicySpec{Policy: gitopsv1.ImagePolicyChoice{Digest: &gitopsv1.DigestPolicy{Tag: "main"}}}, "a main z", "main"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := Compile(&tc.spec)
			if err != nil {
				t.Fatal(err)
			}

			if got, ok := r.Latest(strings.Fields(tc.tags)); got != tc.want || ok != (tc.want != "") {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	cases := map[string]struct {
		spec gitopsv1.ImagePolicySpec
		want string
	}{
		"Pattern": {filtered(alphabetical("asc"), "(", ""), `spec.filterTags.pattern: Invalid value: "(": must be a regular expression in the syntax of RE2`},
		"Range":   {semverOf("latest please"), `spec.policy.semver.range: Invalid value: "latest please": must be a range of versions, such as ">=1.2.0 <2.0.0"`},
		"Nothing": {gitopsv1.ImagePolicySpec{}, "spec.policy: Required value: must have exactly one of semver, alphabetical, numerical and digest"},
	}
	for name, tc := range cases {
		if _, err := Compile(&tc.spec); err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

// tags are names as repositories have them, with many versions and numbers among them.
var tags = rapid.SliceOfN(rapid.OneOf(
	rapid.StringMatching(`v?[0-3]\.[0-9]{1,2}\.[0-9](-rc\.[0-9])?`), rapid.StringMatching(`[0-9]{1,4}(\.[0-9]{1,2})?`),
	rapid.StringMatching(`[a-zA-Z0-9_][a-zA-Z0-9._-]{0,8}`), rapid.StringMatching(`main-[a-f0-9]{2}-[0-9]{1,3}`),
), 0, 30)

// TestLatestIsOfTheTags: whatever the rule, the answer is one of the tags, does not depend on their order, and stays when what
// was not chosen goes.
func TestLatestIsOfTheTags(t *testing.T) {
	specs := []gitopsv1.ImagePolicySpec{
		semverOf("*"), semverOf(">=1.0.0-0"), alphabetical("asc"), alphabetical("desc"), numerical("asc"), numerical("desc"),
		filtered(numerical("asc"), `^main-[a-f0-9]+-(?P<ts>[0-9]+)$`, "$ts"), filtered(semverOf("*"), `^v(.*)$`, "$1"),
	}

	rapid.Check(t, func(t *rapid.T) {
		spec := rapid.SampledFrom(specs).Draw(t, "spec")
		all := tags.Draw(t, "tags")

		r, err := Compile(&spec)
		if err != nil {
			t.Fatal(err)
		}

		got, ok := r.Latest(all)
		if ok && !slices.Contains(all, got) {
			t.Fatalf("%q is none of the tags", got)
		}

		if other, _ := r.Latest(rapid.Permutation(all).Draw(t, "order")); other != got {
			t.Fatalf("in one order it is %q, in another %q", got, other)
		}

		less := slices.DeleteFunc(slices.Clone(all), func(tag string) bool { return tag != got && rapid.Bool().Draw(t, "gone") })
		if other, _ := r.Latest(less); other != got {
			t.Fatalf("with fewer others it is %q, not %q", other, got)
		}
	})
}
