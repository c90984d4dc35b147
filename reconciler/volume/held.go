package volume

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Held is a volume of ours that a node has told of.
type Held struct {
	// Node is the ID of the node.
	Node string
	// Name by which its engine knows it.
	Name string
	// Owner by its labels. What was adopted keeps those of the Volume that it was made for.
	Owner swarmobj.Owner
	// Operation that has made it, such as volumemove.Operation; empty for what no operation has made.
	Operation string
	// Bytes it takes, as of MeasuredAt; that is zero when it was not measured yet, or cannot be.
	Bytes      int64
	MeasuredAt time.Time
}

// Ownerless returns the volumes of nodes that belong to no Volume: none of its Names is theirs. They are what reclaim policy Retain
// leaves, and what a node that was away kept of what was deleted, restored or moved meanwhile. Nothing removes them but people. The result is in the order of namespace, name and node.
func Ownerless(held []Held, volumes []v1alpha1.Volume) []Held {
	owned := Owned(volumes)

	var out []Held
	for _, h := range held {
		if !owned[h.Name] {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b Held) int {
		return strings.Compare(a.Owner.Tenant+"\x00"+a.Owner.Name+"\x00"+a.Name+"\x00"+a.Node, b.Owner.Tenant+"\x00"+b.Owner.Name+"\x00"+b.Name+"\x00"+b.Node)
	})

	return out
}

// ReleasedName is the name of the ReleasedVolume for what engines call so. The names that we give hold underscores, which objects
// of the API cannot have, and no dots, which they can. A name that is cut, or that people gave, may hold what is no name of an
// object even so, or what would make two names one: that is left out, and a hash of the whole is appended.
func ReleasedName(volumeName string) string {
	name := strings.ReplaceAll(volumeName, "_", ".")
	if !strings.Contains(volumeName, ".") && len(validation.IsDNS1123Subdomain(name)) == 0 {
		return name
	}

	sum := sha256.Sum256([]byte(volumeName))
	hash := hex.EncodeToString(sum[:])[:10]
	if most := validation.DNS1123SubdomainMaxLength - len(hash) - 1; len(name) > most {
		name = name[:most]
	}
	var parts []string
	for _, part := range strings.Split(strings.ToLower(name), ".") {
		if part = strings.Trim(part, "-"); part != "" {
			parts = append(parts, part)
		}
	}

	if len(parts) == 0 {
		return hash
	}

	return strings.Join(parts, ".") + "-" + hash
}

// Release describes data of a Volume that is let go, by what engines call it, on the nodes that it is on.
func Release(v *v1alpha1.Volume, name string, nodes []v1alpha1.VolumeNode) *v1alpha1.ReleasedVolume {
	r := &v1alpha1.ReleasedVolume{}
	r.Name = ReleasedName(name)
	r.Finalizers = []string{v1alpha1.FinalizerReleasedVolume}
	r.Labels = map[string]string{v1alpha1.LabelReleasedFrom: v.Namespace}
	size := v.Spec.Size.DeepCopy()
	r.Spec = v1alpha1.ReleasedVolumeSpec{
		VolumeName: name, Nodes: nodes, ClassName: v.Spec.ClassName, Size: &size,
		From: v1alpha1.VolumeOrigin{Namespace: v.Namespace, Name: v.Name, UID: string(v.UID)},
	}

	return r
}

// Found describes data that nodes have and that belongs to nobody, one for each name. hostname is that of a node by ID.
func Found(ownerless []Held, hostname func(id string) string) []*v1alpha1.ReleasedVolume {
	byName := map[string]*v1alpha1.ReleasedVolume{}
	var out []*v1alpha1.ReleasedVolume

	for _, h := range ownerless {
		r := byName[h.Name]
		if r == nil {
			r = &v1alpha1.ReleasedVolume{}
			r.Name, r.Finalizers = ReleasedName(h.Name), []string{v1alpha1.FinalizerReleasedVolume}
			r.Spec.VolumeName = h.Name
			r.Spec.From = v1alpha1.VolumeOrigin{Namespace: h.Owner.Tenant, Name: h.Owner.Name, UID: h.Owner.UID}
			byName[h.Name] = r
			out = append(out, r)
		}
		r.Spec.Nodes = append(r.Spec.Nodes, v1alpha1.VolumeNode{ID: h.Node, Hostname: hostname(h.Node)})
	}

	return out
}
