package hostile

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// World is a tenant and its plan.
type World struct {
	Tenant v1alpha1.Tenant
	Plan   v1alpha1.Plan
}

// The worlds by name. The tenant of each has the world's name with Prefix before it, and so has its plan.
const (
	Restricted = "restricted"
	Baseline   = "baseline"
	// Ranged is restricted, with ports from 20000 to 20009.
	Ranged = "ranged"
	// Picky is baseline, with few images and only by digest.
	Picky = "picky"
	// Tagged is baseline, and refuses latest.
	Tagged = "tagged"
)

// Prefix of the names of tenants and plans.
const Prefix = "hostile-"

// Worlds that the table speaks of.
func Worlds() map[string]World {
	return map[string]World{
		Restricted: world(Restricted, v1alpha1.ProfileRestricted, nil, nil),
		Baseline:   world(Baseline, v1alpha1.ProfileBaseline, nil, nil),
		Ranged:     world(Ranged, v1alpha1.ProfileRestricted, &v1alpha1.PortRange{From: 20000, To: 20009}, nil),
		Picky: world(Picky, v1alpha1.ProfileBaseline, nil, &v1alpha1.ImageRules{
			Allowed: []v1alpha1.ImagePattern{"registry.example/team/*", "127.0.0.1:5000", "docker.io/library/nginx"},
			Tags:    v1alpha1.TagsDigestOnly,
		}),
		Tagged: world(Tagged, v1alpha1.ProfileBaseline, nil, &v1alpha1.ImageRules{Tags: v1alpha1.TagsNotLatest}),
	}
}

func world(name string, profile v1alpha1.SecurityProfile, ports *v1alpha1.PortRange, images *v1alpha1.ImageRules) World {
	w := World{
		Plan: v1alpha1.Plan{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Plan"},
			ObjectMeta: metav1.ObjectMeta{Name: Prefix + name},
			Spec: v1alpha1.PlanSpec{
				SecurityProfile: profile,
				Images:          images,
				ContainerDefaults: v1alpha1.ContainerDefaults{
					Requests: v1alpha1.DefaultRequests{CPU: resource.MustParse("50m"), Memory: resource.MustParse("64Mi")},
					Limits:   v1alpha1.DefaultLimits{CPU: resource.MustParse("500m"), Memory: resource.MustParse("256Mi"), Pids: 256},
				},
				ContainerMaxima: &v1alpha1.ContainerMaxima{
					CPU: new(resource.MustParse("2")), Memory: new(resource.MustParse("2Gi")), Pids: new(int64(1024)), Replicas: new(int32(10)),
				},
			},
		},
		Tenant: v1alpha1.Tenant{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Tenant"},
			ObjectMeta: metav1.ObjectMeta{Name: Prefix + name},
			Spec:       v1alpha1.TenantSpec{PlanName: v1alpha1.DNSLabel(Prefix + name), PortRange: ports, DeletionPolicy: v1alpha1.DeletionDelete},
		},
	}

	return w
}
