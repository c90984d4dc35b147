package policy

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	dockerHub   = "docker.io"
	dockerIndex = "index.docker.io"
	httpsPort   = "443"
)

// reference is an image as a registry is asked for it.
type reference struct {
	host, repository, tag string
	digest                bool
}

// parse takes apart what the schema has let pass.
func parse(image v1alpha1.Image) reference {
	var r reference

	rest, _, digest := strings.Cut(string(image), "@")
	r.digest = digest
	if colon := strings.LastIndexByte(rest, ':'); colon > strings.LastIndexByte(rest, '/') {
		rest, r.tag = rest[:colon], rest[colon+1:]
	}

	first, path, found := strings.Cut(rest, "/")
	if found && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first) {
		r.host, r.repository = strings.ToLower(first), path
	} else {
		r.host, r.repository = dockerHub, rest
	}
	if r.host == dockerIndex {
		r.host = dockerHub
	}
	if r.host == dockerHub && !strings.Contains(r.repository, "/") {
		r.repository = "library/" + r.repository
	}

	return r
}

// matches is true when the pattern stands for the repository.
func (r reference) matches(pattern v1alpha1.ImagePattern) bool {
	host, path, below := strings.Cut(string(pattern), "/")
	if !strings.EqualFold(host, r.host) && !(strings.EqualFold(host, dockerIndex) && r.host == dockerHub) {
		return false
	}
	if !below || path == "*" {
		return true
	}
	if parent, ok := strings.CutSuffix(path, "/*"); ok {
		return strings.HasPrefix(r.repository, parent+"/")
	}

	return r.repository == path
}

func (r reference) matchesAny(patterns []v1alpha1.ImagePattern) bool {
	return slices.ContainsFunc(patterns, r.matches)
}

// registries: what the plan names. Where it names nothing, only what looks like a registry that everybody can reach: the
// engine connects to it from the node's own network, past all that separates containers.
func registries(c *check) {
	registriesOfPlan(c)
	publicRegistries(c)
}

func publicRegistries(c *check) {
	if len(c.images.Allowed) > 0 {
		return
	}

	host := parse(c.spec.Image).host
	name, port := host, ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		name, port = host[:colon], host[colon+1:]
	}
	_, notAddress := netip.ParseAddr(strings.Trim(name, "[]"))

	if notAddress == nil || name == "localhost" || strings.HasSuffix(name, ".localhost") || port != "" && port != httpsPort {
		c.refuse(root.Child("image"), string(c.spec.Image), "a registry by its name and on port %s; others must be named in images.allowed of the plan", httpsPort)
	}
}

func registriesOfPlan(c *check) {
	allowedByPlan(c)

	ref := parse(c.spec.Image)

	switch c.images.Tags {
	case v1alpha1.TagsNotLatest:
		if !ref.digest && (ref.tag == "" || ref.tag == "latest") {
			c.refusePlan(root.Child("image"), string(c.spec.Image), "images.tags", "a tag other than latest, or a digest")
		}
	case v1alpha1.TagsDigestOnly:
		if !ref.digest {
			c.refusePlan(root.Child("image"), string(c.spec.Image), "images.tags", "a digest, as repository@sha256:…")
		}
	}
}

func allowedByPlan(c *check) {
	ref := parse(c.spec.Image)

	if allowed := c.images.Allowed; len(allowed) > 0 && !ref.matchesAny(allowed) {
		names := make([]string, len(allowed))
		for i, a := range allowed {
			names[i] = string(a)
		}
		c.refusePlan(root.Child("image"), string(c.spec.Image), "images.allowed", "%s", strings.Join(names, ", "))
	}
}

// CheckRepository judges a repository whose tags are looked at, by the part of rule I1 that says which registries are asked.
func (p Policy) CheckRepository(image string) field.ErrorList {
	c := &check{Policy: p, spec: &v1alpha1.TenantContainerSpec{Image: v1alpha1.Image(image)}, rule: "I1"}

	allowedByPlan(c)
	if p.profile != v1alpha1.ProfilePrivileged {
		publicRegistries(c)
	}

	return c.errs
}

// imageID is what engines take for the ID of an image that a node holds.
var imageID = regexp.MustCompile(`^(sha256:)?[0-9a-f]{64}$`)

// askRegistry: an image that a node happens to hold may be somebody else's, pulled with credentials of theirs.
func askRegistry(c *check) {
	if imageID.MatchString(string(c.spec.Image)) {
		c.refuse(root.Child("image"), string(c.spec.Image), "a repository, with a tag or a digest: an ID stands for whatever a node holds")
	}
	if c.spec.ImagePullPolicy == v1alpha1.PullNever {
		c.refuse(root.Child("imagePullPolicy"), string(c.spec.ImagePullPolicy), "%s or %s", v1alpha1.PullIfNotPresent, v1alpha1.PullAlways)
	}
}

// Signature is the first rule of the plan that asks for a signature of the image; nil when none does.
func (p Policy) Signature(image v1alpha1.Image) *v1alpha1.SignatureRule {
	ref := parse(image)
	for i := range p.images.Signatures {
		if r := &p.images.Signatures[i]; len(r.Images) == 0 || ref.matchesAny(r.Images) {
			return r
		}
	}

	return nil
}
