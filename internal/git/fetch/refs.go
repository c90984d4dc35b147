package fetch

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/dogker/dogker/reconciler/source"
)

const (
	heads = "refs/heads/"
	tags  = "refs/tags/"
	// maxWants is how many branches are asked for where a commit has to be looked for in their history.
	maxWants = 200
	// maxName is how long the full name of a reference may be.
	maxName = 255
)

// target is what to fetch.
type target struct {
	// name is what the revision is called by: a branch, a tag, a reference. It is empty for a commit without a branch.
	name string
	// commit is the hash of the commit.
	commit plumbing.Hash
	// tag is the hash of the tag object, where the reference is a tag that has one.
	tag plumbing.Hash
	// wants are what the server is asked for.
	wants []plumbing.Hash
	// history is true where the commit is somewhere behind wants, and not one of them.
	history bool
}

// revision is how Flux writes it.
func (t target) revision() string {
	if t.name == "" {
		return "sha1:" + t.commit.String()
	}

	return t.name + "@sha1:" + t.commit.String()
}

// fullHash is a whole hash of the kind that can be read.
var fullHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

// checkRef refuses what can be no reference, before anything is asked.
func checkRef(r source.Ref) error {
	refuse := func(field, message string) error {
		return &source.Error{Reason: source.ReasonReferenceInvalid, Field: "ref." + field, Message: message}
	}

	for field, full := range map[string]string{"branch": prefixed(heads, r.Branch), "tag": prefixed(tags, r.Tag), "name": r.Name} {
		if full == "" {
			continue
		}

		if !nameable(full) {
			return refuse(field, "is no name that a reference can have")
		}
	}

	if r.SemVer != "" {
		if _, err := semver.NewConstraint(r.SemVer); err != nil || len(r.SemVer) > 255 {
			return refuse("semver", `is no range of versions, such as ">=1.2.0 <2.0.0"`)
		}
	}

	if r.Commit != "" && !fullHash.MatchString(r.Commit) {
		return refuse("commit", "must be a full hash, of 40 hexadecimal digits")
	}

	return nil
}

// nameable is true for the full name of a reference that can be asked for.
func nameable(full string) bool {
	return strings.HasPrefix(full, "refs/") && !strings.Contains(full, "/-") && len(full) <= maxName &&
		plumbing.ReferenceName(full).Validate() == nil
}

func prefixed(prefix, name string) string {
	if name == "" {
		return ""
	}

	return prefix + name
}

// resolve says which commit a reference means today. What is set last in this order decides: branch, tag, semver, name, commit.
func resolve(r source.Ref, adv *packp.AdvRefs) (target, error) {
	switch {
	case r.Commit != "":
		return resolveCommit(r, adv)
	case r.Name != "":
		return named(adv, r.Name, "name")
	case r.SemVer != "":
		return resolveSemVer(r.SemVer, adv)
	case r.Tag != "":
		return named(adv, tags+r.Tag, "tag")
	case r.Branch != "":
		return named(adv, heads+r.Branch, "branch")
	default:
		return resolveHead(adv)
	}
}

// named finds a reference by its full name.
func named(adv *packp.AdvRefs, full, field string) (target, error) {
	hash, ok := adv.References[full]
	if !ok {
		e := lasting(source.ReasonReferenceNotFound, "the repository has no %q", full)
		e.Field = "ref." + field
		// Whoever pushes it next does not tell us.
		e.Transient = true

		return target{}, e
	}

	// The server has chosen it, where the request names none.
	if plumbing.ReferenceName(full).Validate() != nil || clean(full, maxName) != full {
		return target{}, lasting(source.ReasonRepositoryRefused, "the server calls a reference %.100q, which is no name that one can have", full)
	}

	short := full
	for _, prefix := range []string{heads, tags} {
		short = strings.TrimPrefix(short, prefix)
	}

	t := target{name: short, commit: hash, wants: []plumbing.Hash{hash}}
	if peeled, ok := adv.Peeled[full]; ok {
		t.tag, t.commit = hash, peeled
	}

	return t, nil
}

// resolveHead finds the branch that the server calls HEAD. Servers that do not say which one it is are believed to mean main or
// master, or the first that is at the same commit, as Git does.
func resolveHead(adv *packp.AdvRefs) (target, error) {
	for _, symref := range adv.Capabilities.Get(capability.SymRef) {
		if full, ok := strings.CutPrefix(symref, "HEAD:"); ok && adv.References[full] != plumbing.ZeroHash {
			return named(adv, full, "branch")
		}
	}

	if adv.Head == nil {
		e := lasting(source.ReasonReferenceNotFound, "the server has no HEAD: say which branch")
		e.Field = "ref.branch"

		return target{}, e
	}

	names := append([]string{heads + "main", heads + "master"}, slices.Sorted(maps.Keys(adv.References))...)
	for _, full := range names {
		if strings.HasPrefix(full, heads) && adv.References[full] == *adv.Head {
			return named(adv, full, "branch")
		}
	}

	return target{name: "HEAD", commit: *adv.Head, wants: []plumbing.Hash{*adv.Head}}, nil
}

// resolveSemVer finds the highest tag in a range. Of two names for the same version the one that sorts last is taken: it must be
// the same one every time.
func resolveSemVer(expression string, adv *packp.AdvRefs) (target, error) {
	in, err := semver.NewConstraint(expression)
	if err != nil {
		return target{}, lasting(source.ReasonReferenceInvalid, "%q is no range of versions", expression)
	}

	var (
		best *semver.Version
		full string
	)

	for _, name := range slices.Sorted(maps.Keys(adv.References)) {
		short, ok := strings.CutPrefix(name, tags)
		if !ok {
			continue
		}

		v, err := semver.NewVersion(short)
		if err != nil || !in.Check(v) || best != nil && v.LessThan(best) {
			continue
		}

		best, full = v, name
	}

	if best == nil {
		e := lasting(source.ReasonReferenceNotFound, "the repository has no tag in %q", expression)
		e.Field, e.Transient = "ref.semver", true

		return target{}, e
	}

	return named(adv, full, "semver")
}

// resolveCommit fetches a commit by its hash where the server gives commits by hash, as most do, and looks for it in the history
// of the branch, or of all of them, where it does not.
func resolveCommit(r source.Ref, adv *packp.AdvRefs) (target, error) {
	t := target{name: r.Branch, commit: plumbing.NewHash(r.Commit)}
	t.wants = []plumbing.Hash{t.commit}

	if adv.Capabilities.Supports(capability.AllowReachableSHA1InWant) || adv.Capabilities.Supports("allow-any-sha1-in-want") {
		return t, nil
	}

	var behind []plumbing.Hash

	for _, name := range slices.Sorted(maps.Keys(adv.References)) {
		hash := adv.References[name]
		if hash == t.commit {
			return t, nil
		}

		if name == heads+r.Branch || r.Branch == "" && strings.HasPrefix(name, heads) {
			behind = append(behind, hash)
		}
	}

	if len(behind) == 0 || len(behind) > maxWants {
		e := lasting(source.ReasonReferenceNotFound, "the server does not give commits by hash: say of which branch it is")
		e.Field = "ref.branch"

		return target{}, e
	}

	t.wants, t.history = behind, true

	return t, nil
}
