package compose

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/distribution/reference"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// service is one service that becomes a container.
type service struct {
	*converter
	*types.ServiceConfig

	key  string
	at   string
	meta map[string]string // annotations of the container
	tags map[string]string // its labels, beyond those that all objects have
	spec *v1alpha1.TenantContainerSpec
	// stateful is true for a service with a volume: old and new tasks must not write to it side by side.
	stateful bool
}

// steps convert a service, in the order in which their findings are listed.
var steps = []func(*service){
	(*service).process, (*service).environment, (*service).files, (*service).mounts, (*service).ports, (*service).namesInNetworks,
	(*service).count, (*service).resources, (*service).health, (*service).rollout, (*service).restarts, (*service).placement,
	(*service).oneWriter, (*service).dependencies, (*service).security, (*service).limits, (*service).labels, (*service).logging, (*service).hosts,
}

// container is what becomes of a service; nil when nothing can.
func (c *converter) container(key string, config *types.ServiceConfig) *v1alpha1.TenantContainer {
	s := &service{converter: c, ServiceConfig: config, key: key, at: "services." + key,
		meta: map[string]string{}, tags: map[string]string{}, spec: &v1alpha1.TenantContainerSpec{}}
	if !s.image() {
		return nil
	}
	for _, step := range steps {
		step(s)
	}
	c.walk(reflect.ValueOf(*config), s.at, "services.*", s.extension)

	tc := &v1alpha1.TenantContainer{ObjectMeta: c.meta(c.names[key]), Spec: *s.spec}
	tc.APIVersion, tc.Kind = v1alpha1.GroupVersion.String(), "TenantContainer"
	if len(s.meta) > 0 {
		tc.Annotations = s.meta
	}
	for name, value := range s.tags {
		if tc.Labels == nil {
			tc.Labels = map[string]string{}
		}
		tc.Labels[name] = value
	}

	return tc
}

// image is false for a service that has none, or none that can run here.
func (s *service) image() bool {
	name := s.imageOf(s.ServiceConfig)
	switch {
	case s.Provider != nil:
		s.lost(s.path("provider"), s.Provider.Type, "services that a program on the machine provides are nothing here, so the service is left out",
			"run what it provides as a container, or let the others reach it from outside")
		return false
	case s.Image == "" && s.Build != nil:
		s.lost(s.path("build"), s.local(s.Build.Context), fmt.Sprintf("nothing is built here, and there is no image; %q stands in its place", name),
			"build it, push it to a registry, and name it in image")
	case s.Build != nil:
		s.lost(s.path("build"), s.local(s.Build.Context), "nothing is built here", fmt.Sprintf("build %q and push it to its registry", name))
	}

	if why := anImage(name); why != "" {
		s.refused(s.path("image"), name, why+", so the service is left out", "name an image as repository[:tag][@sha256:digest]")
		return false
	}
	s.spec.Image = v1alpha1.Image(name)
	s.pullPolicy()
	s.platform()

	return true
}

// imageOf a service: without one, what Compose calls the image that it builds.
func (c *converter) imageOf(s *types.ServiceConfig) string {
	if s.Image == "" {
		return c.project.Name + "-" + strings.ToLower(s.Name)
	}

	return s.Image
}

// anImage says what is wrong with the name of an image; empty when nothing is.
func anImage(name string) string {
	if len(name) > 512 {
		return "it has more than 512 characters"
	}
	if imageID.MatchString(name) {
		return "an ID stands for whatever a node holds"
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "it is no name of an image"
	}
	if digested, ok := named.(reference.Digested); ok && digested.Digest().Algorithm() != "sha256" {
		return "digests are of sha256"
	}

	return ""
}

func (s *service) pullPolicy() {
	switch p := s.PullPolicy; p {
	case "", types.PullPolicyMissing, types.PullPolicyIfNotPresent:
	case types.PullPolicyAlways:
		s.spec.ImagePullPolicy = v1alpha1.PullAlways
	case types.PullPolicyNever:
		s.refused(s.path("pull_policy"), p, "an image that a node happens to hold may be somebody else's (rule I2)", "push the image to a registry")
	case types.PullPolicyBuild:
		s.lost(s.path("pull_policy"), p, "nothing is built here", "push the image to a registry")
	default:
		s.lost(s.path("pull_policy"), p, "a tag is resolved once for each rollout, and not again after a time", "name the image by another tag to roll it out")
	}
}

func (s *service) platform() {
	if s.Platform == "" {
		return
	}
	parts := strings.Split(strings.ToLower(s.Platform), "/")
	if len(parts) < 2 || notPlatform.MatchString(parts[0]) || notPlatform.MatchString(strings.ReplaceAll(parts[1], "_", "")) {
		s.lost(s.path("platform"), s.Platform, "a platform is an operating system and an architecture", "write it as linux/amd64")
		return
	}
	if len(parts) > 2 {
		s.changed(s.path("platform"), s.Platform, "nodes are told apart by operating system and architecture, and not by variant", "")
	}
	s.place().Platforms = []v1alpha1.Platform{{OS: parts[0], Architecture: parts[1]}}
}

// place is the placement, made when there is none.
func (s *service) place() *v1alpha1.Placement {
	if s.spec.Placement == nil {
		s.spec.Placement = &v1alpha1.Placement{}
	}

	return s.spec.Placement
}

// path of a field of the service.
func (s *service) path(field string) string { return s.at + "." + field }
