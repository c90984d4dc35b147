package policy

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestImagesByID: the schema refuses the ID of an image already; a template that came into the store another way meets the
// same rule here, in whatever form engines read an ID.
func TestImagesByID(t *testing.T) {
	id := strings.Repeat("0a", 32)

	cases := map[string]struct {
		reason  string
		profile v1alpha1.SecurityProfile
		image   v1alpha1.Image
		refused bool
	}{
		"WithAlgorithm": {reason: "Whatever a node holds by it runs.", profile: v1alpha1.ProfileRestricted, image: v1alpha1.Image("sha256:" + id), refused: true},
		"Bare":          {reason: "Engines complete it.", profile: v1alpha1.ProfileBaseline, image: v1alpha1.Image(id), refused: true},
		"Digest":        {reason: "Its registry can be asked for it.", profile: v1alpha1.ProfileRestricted, image: v1alpha1.Image("registry.example/a@sha256:" + id)},
		"Tag":           {reason: "Its registry resolves it.", profile: v1alpha1.ProfileRestricted, image: "registry.example/a:1"},
		"Platform":      {reason: "The platform's own containers are trusted with it.", profile: v1alpha1.ProfilePrivileged, image: v1alpha1.Image("sha256:" + id)},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: v1alpha1.PlanSpec{SecurityProfile: tc.profile}}
			errs := Of(&v1alpha1.Tenant{}, plan).Check(&v1alpha1.TenantContainerSpec{Image: tc.image})

			refused := slices.ContainsFunc(errs, func(e *field.Error) bool {
				return e.Field == "spec.image" && strings.Contains(e.Detail, "rule I2 ")
			})
			if refused != tc.refused {
				t.Errorf("%s\nrefused by rule I2: %v, want %v: %v", tc.reason, refused, tc.refused, errs)
			}
		})
	}
}
