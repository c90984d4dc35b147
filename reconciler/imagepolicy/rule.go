package imagepolicy

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// Rule chooses tags.
type Rule struct {
	pattern *regexp.Regexp
	extract string
	fixed   string
	// usable is whether the rule can read a value; after is whether the first of two values is later than the second.
	usable func(value string) bool
	after  func(a, b string) bool
}

// Compile makes a rule of a spec that the schema has accepted.
func Compile(spec *gitopsv1.ImagePolicySpec) (*Rule, *field.Error) {
	r, at := &Rule{}, field.NewPath("spec")

	if f := spec.FilterTags; f != nil {
		var err error
		if r.pattern, err = regexp.Compile(f.Pattern); err != nil {
			return nil, field.Invalid(at.Child("filterTags", "pattern"), f.Pattern, "must be a regular expression in the syntax of RE2")
		}

		r.extract = f.Extract
	}

	switch p := spec.Policy; {
	case p.Digest != nil:
		r.fixed = p.Digest.Tag
	case p.SemVer != nil:
		in, err := semver.NewConstraint(p.SemVer.Range)
		if err != nil {
			return nil, field.Invalid(at.Child("policy", "semver", "range"), p.SemVer.Range, `must be a range of versions, such as ">=1.2.0 <2.0.0"`)
		}

		r.usable = func(value string) bool { v := version(value); return v != nil && in.Check(v) }
		r.after = func(a, b string) bool { return version(a).GreaterThan(version(b)) }
	case p.Numerical != nil:
		r.usable = decimal.MatchString
		r.after = ordered(p.Numerical, compareDecimals)
	case p.Alphabetical != nil:
		r.usable = func(string) bool { return true }
		r.after = ordered(p.Alphabetical, strings.Compare)
	default:
		return nil, field.Required(at.Child("policy"), "must have exactly one of semver, alphabetical, numerical and digest")
	}

	return r, nil
}

// ordered makes an order of a comparison.
func ordered(o *gitopsv1.OrderPolicy, compare func(a, b string) int) func(a, b string) bool {
	if o.Order == gitopsv1.OrderDescending {
		return func(a, b string) bool { return compare(a, b) < 0 }
	}

	return func(a, b string) bool { return compare(a, b) > 0 }
}

// Tag is the one that is followed whatever others there are; empty when tags are chosen from.
func (r *Rule) Tag() string { return r.fixed }

// Latest is the tag that the rule chooses; false when there is none to choose. Of several tags that the rule cannot tell apart
// it is the last by name: it must be the same one every time.
func (r *Rule) Latest(tags []string) (string, bool) {
	var best, bestValue string

	for _, tag := range tags {
		value, ok := r.value(tag)
		if !ok {
			continue
		}

		if best == "" || r.after(value, bestValue) || !r.after(bestValue, value) && tag > best {
			best, bestValue = tag, value
		}
	}

	return best, best != ""
}

// value is what the rule looks at of a tag.
func (r *Rule) value(tag string) (string, bool) {
	if r.fixed != "" {
		return tag, tag == r.fixed
	}

	value := tag

	if r.pattern != nil {
		at := r.pattern.FindStringSubmatchIndex(tag)
		if at == nil {
			return "", false
		}

		if r.extract != "" {
			value = string(r.pattern.ExpandString(nil, r.extract, tag, at))
		}
	}

	return value, r.usable(value)
}

// version is a full version, with or without a v in front; nil for everything else. A tag 1.2 is not taken for 1.2.0: it is
// mostly moved from one to the next.
func version(s string) *semver.Version {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	if err != nil {
		return nil
	}

	return v
}

// decimal is a number as tags have them.
var decimal = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// compareDecimals compares numbers of any length, which timestamps and counters of builds are.
func compareDecimals(a, b string) int {
	aWhole, aRest, _ := strings.Cut(a, ".")
	bWhole, bRest, _ := strings.Cut(b, ".")
	aWhole, bWhole = strings.TrimLeft(aWhole, "0"), strings.TrimLeft(bWhole, "0")

	if len(aWhole) != len(bWhole) {
		return len(aWhole) - len(bWhole)
	}

	if c := strings.Compare(aWhole, bWhole); c != 0 {
		return c
	}

	return strings.Compare(strings.TrimRight(aRest, "0"), strings.TrimRight(bRest, "0"))
}
