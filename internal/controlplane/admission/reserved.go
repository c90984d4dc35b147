package admission

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Loopback is the user that this process is to its own API.
const Loopback = "system:apiserver"

// owners are the prefixes of annotations by which one controller tells another what to do, each with the controller that
// may. They decide over money and capacity, so not even an administrator writes them, other than by impersonating the
// controller, which the audit log shows.
var owners = []struct{ prefix, user string }{
	{"billing.dogker.io/", billingv1.UserBilling},
	{"monitoring.dogker.io/", v1alpha1.UserMonitoring},
}

// foreignAnnotations lists the reserved annotations that the user would set, change or remove without being their owner.
// Those that stay as they are concern nobody. old is nil on create.
func foreignAnnotations(now, old *unstructured.Unstructured, user string) field.ErrorList {
	var before map[string]string
	if old != nil {
		before = old.GetAnnotations()
	}

	return foreign(before, now.GetAnnotations(), user)
}

func foreign(before, after map[string]string, user string) field.ErrorList {
	var errs field.ErrorList
	for _, key := range changed(before, after) {
		for _, o := range owners {
			if strings.HasPrefix(key, o.prefix) && user != o.user && user != Loopback {
				path := field.NewPath("metadata", "annotations").Key(key)
				errs = append(errs, field.Forbidden(path, "annotations that begin with "+o.prefix+" are written by "+o.user+" only"))
			}
		}
	}

	return errs
}

// changed are the keys whose value, or whose being there, differs, sorted.
func changed(before, after map[string]string) []string {
	var keys []string
	for k, v := range after {
		if was, ok := before[k]; !ok || was != v {
			keys = append(keys, k)
		}
	}
	for k := range before {
		if _, ok := after[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)

	return slices.Compact(keys)
}
