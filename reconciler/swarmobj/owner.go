package swarmobj

import (
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Owner is the API object that an object in Swarm belongs to. Ownership is decided by UID; the rest is for people and
// for names.
type Owner struct {
	Tenant string // namespace
	Kind   string
	Name   string
	UID    string
}

// Labels returns the labels that mark an object as belonging to o.
func (o Owner) Labels() map[string]string {
	return map[string]string{
		v1alpha1.SwarmLabelManaged: "true",
		v1alpha1.SwarmLabelTenant:  o.Tenant,
		v1alpha1.SwarmLabelKind:    o.Kind,
		v1alpha1.SwarmLabelName:    o.Name,
		v1alpha1.SwarmLabelUID:     o.UID,
	}
}

// OwnerOf reads the owner from the labels of an object in Swarm. It is false for an object that is not ours.
func OwnerOf(labels map[string]string) (Owner, bool) {
	if labels[v1alpha1.SwarmLabelManaged] != "true" {
		return Owner{}, false
	}

	return Owner{
		Tenant: labels[v1alpha1.SwarmLabelTenant],
		Kind:   labels[v1alpha1.SwarmLabelKind],
		Name:   labels[v1alpha1.SwarmLabelName],
		UID:    labels[v1alpha1.SwarmLabelUID],
	}, true
}
