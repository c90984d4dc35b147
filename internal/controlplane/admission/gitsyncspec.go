package admission

import (
	"errors"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/git/fetch"
	"github.com/dogker/dogker/internal/git/substitute"
	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/source"
)

const (
	noCredentials = "must have no user name and no password: they belong into the Secret that secretRef names"
	notPublic     = "must not be at a private, loopback or otherwise special address: repositories of tenants are on the Internet"
)

// revealing refuses passwords in URLs, without showing them.
func revealing(now *unstructured.Unstructured) field.ErrorList {
	var errs field.ErrorList
	for _, at := range [][]string{{"spec", "url"}, {"spec", "commitStatus", "address"}, {"spec", "update", "git", "url"}} {
		raw, _, _ := unstructured.NestedString(now.Object, at...)
		if !strings.Contains(raw, "@") || plain(raw) {
			continue
		}
		errs = append(errs, field.Invalid(field.NewPath(at[0], at[1:]...), hidden(raw), noCredentials+"; ssh://user@host/path may have a user name"))
	}

	return errs
}

// plain is whether a URL can be shown. Of ssh a user name can.
func plain(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return false
	}

	return u.User == nil || u.Scheme == "ssh" && fetch.Check(source.Request{URL: raw}) == nil
}

// hidden is a URL without what may be secret in it.
func hidden(raw string) string {
	raw, _, query := strings.Cut(raw, "?")
	if at := strings.LastIndex(raw, "@"); at >= 0 {
		scheme := ""
		if end := strings.Index(raw, "://"); end >= 0 && end < at {
			scheme = raw[:end+len("://")]
		}
		raw = scheme + "[redacted]" + raw[at:]
	}
	if query {
		raw += "?[redacted]"
	}

	return raw
}

// judgeSync lists what a schema cannot say about a spec. private lets everything be at addresses that are not public.
func judgeSync(spec *gitopsv1.GitSyncSpec, private bool) field.ErrorList {
	at := field.NewPath("spec")
	errs := judgeRepository(spec, at, private)

	if p := spec.Path; path.IsAbs(p) || slices.Contains(strings.Split(p, "/"), "..") {
		errs = append(errs, field.Invalid(at.Child("path"), p, "must be relative to the root of the repository, and not lead out of it: no leading / and no .."))
	}
	errs = append(errs, judgeVariables(spec.PostBuild, at.Child("postBuild"))...)
	for i, rule := range spec.IgnoreFields {
		for j, pointer := range rule.Paths {
			if !inventory.Ignorable(pointer) {
				errs = append(errs, field.Invalid(at.Child("ignoreFields").Index(i).Child("paths").Index(j), pointer, "must be "+inventory.IgnorableRule))
			}
		}
	}
	if status := spec.CommitStatus; status != nil && status.Address != "" {
		errs = append(errs, judgeAddress(status.Address, at.Child("commitStatus", "address"), private)...)
	}

	return errs
}

// judgeRepository is about what is fetched. What can be a URL and a reference is said by who fetches.
func judgeRepository(spec *gitopsv1.GitSyncSpec, at *field.Path, private bool) field.ErrorList {
	r := source.Request{URL: spec.URL}
	if ref := spec.Ref; ref != nil {
		r.Ref = source.Ref{Branch: ref.Branch, Tag: ref.Tag, SemVer: ref.SemVer, Name: ref.Name, Commit: ref.Commit}
	}

	var errs field.ErrorList
	var refused *source.Error
	if err := fetch.Check(r); errors.As(err, &refused) {
		name, child, _ := strings.Cut(refused.Field, ".")
		where, value := at.Child(name), hidden(spec.URL)
		if child != "" {
			where, value = where.Child(child), referenceOf(r.Ref, child)
		}
		errs = append(errs, field.Invalid(where, value, refused.Message))
	} else if err != nil {
		errs = append(errs, field.InternalError(at.Child("url"), err))
	}

	u, err := url.Parse(spec.URL)
	if err != nil {
		return errs // It was refused above.
	}
	switch {
	case u.Scheme == "ssh" && spec.SecretRef == nil:
		errs = append(errs, field.Required(at.Child("secretRef"), "names the Secret with identity and known_hosts, without which there is no ssh"))
	case u.Scheme == "http" && spec.SecretRef != nil:
		errs = append(errs, field.Invalid(at.Child("url"), hidden(spec.URL), "must begin with https:// or ssh:// when there is a secretRef: over http everybody could read what is in it"))
	}
	if !private && special(u.Hostname()) {
		errs = append(errs, field.Invalid(at.Child("url"), hidden(spec.URL), notPublic))
	}

	return errs
}

func referenceOf(ref source.Ref, name string) string {
	return map[string]string{"branch": ref.Branch, "tag": ref.Tag, "semver": ref.SemVer, "name": ref.Name, "commit": ref.Commit}[name]
}

// judgeVariables refuses names that no variable can have, and what is named twice.
func judgeVariables(post *gitopsv1.PostBuild, at *field.Path) field.ErrorList {
	if post == nil {
		return nil
	}

	var errs field.ErrorList
	for name := range post.Substitute {
		var refused *source.Error
		if err := substitute.Check(map[string]string{name: ""}); errors.As(err, &refused) {
			errs = append(errs, field.Invalid(at.Child("substitute"), name, "names are letters, digits and underscores, and begin with no digit"))
		}
	}
	slices.SortFunc(errs, func(a, b *field.Error) int { return strings.Compare(a.Error(), b.Error()) })

	type object struct{ kind, name string }
	seen := map[object]bool{}
	for i, from := range post.SubstituteFrom {
		o := object{from.Kind, string(from.Name)}
		if seen[o] {
			errs = append(errs, field.Duplicate(at.Child("substituteFrom").Index(i), from.Kind+"/"+string(from.Name)))
		}
		seen[o] = true
	}

	return errs
}

// judgeAddress is about the address of an API that is sent a token.
func judgeAddress(address string, at *field.Path, private bool) field.ErrorList {
	u, err := url.Parse(address)

	switch {
	case err != nil || u.Hostname() == "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return field.ErrorList{field.Invalid(at, hidden(address), "must be https://host/path, without a query and a fragment")}
	case u.User != nil:
		return field.ErrorList{field.Invalid(at, hidden(address), noCredentials)}
	case u.Scheme != "https" && !private:
		return field.ErrorList{field.Invalid(at, hidden(address), "must begin with https://: a token is sent there")}
	case !private && special(u.Hostname()):
		return field.ErrorList{field.Invalid(at, hidden(address), notPublic)}
	}

	return nil
}

// special is whether a host is not on the Internet as far as can be told without asking anybody. Where names lead is looked at
// when they are dialed.
func special(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return !outbound.Public(addr)
	}

	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
